#ifndef KEYROLL_CARCHIVE_H
#define KEYROLL_CARCHIVE_H
#include <archive.h>
#include <archive_entry.h>
#endif
