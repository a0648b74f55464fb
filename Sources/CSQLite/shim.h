#ifndef KEYROLL_CSQLITE_H
#define KEYROLL_CSQLITE_H
#include <sqlite3.h>
#endif
