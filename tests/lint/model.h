/* What an analyser, which sees one file at a time, can't know of the others. */
#ifndef LINT_MODEL_H
#define LINT_MODEL_H

#include "base/fault.h"

static inline int always_refused(int result)
{
    return result < 0 ? result : -1;
}

#define fault_set(...) always_refused(fault_set(__VA_ARGS__))
#define fault_errno(...) always_refused(fault_errno(__VA_ARGS__))

#endif
