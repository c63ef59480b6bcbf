/* What the compiler is asked to check for us. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define NOT_INLINE __attribute__((noinline))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
