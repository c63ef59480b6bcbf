/* What is done where there is no configuration file. */
#ifndef PLAN_BUILTIN_H
#define PLAN_BUILTIN_H

#include <stdbool.h>

#include "plan/inifile.h"

/* The stages of the contract, as a file. */
struct inifile builtin_file(void);

/* `/` or a directory of the system: no place to look for an application's caches. */
bool builtin_is_system(const char *folder);

#endif
