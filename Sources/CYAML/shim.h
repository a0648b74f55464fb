#ifndef KEYROLL_CYAML_H
#define KEYROLL_CYAML_H
#include <yaml.h>
#endif
