/* Every exit status that is freshinit's own; otherwise it is the server's. */
#ifndef BASE_EXITCODE_H
#define BASE_EXITCODE_H

enum exit_code {
    EXIT_FAILED = 1,  /* health, verify: the answer is no */
    EXIT_USAGE = 64,  /* the command line */
    EXIT_STAGE = 75,  /* a stage with on_error = fail failed; a stale image */
    EXIT_CONFIG = 78, /* the configuration */
    EXIT_OURS = 125,  /* freshinit itself could not: fork, user refused */
    EXIT_NOT_EXECUTABLE = 126,
    EXIT_NOT_FOUND = 127,
    EXIT_SIGNAL = 128 /* 128 + N: ended by signal N */
};

#endif
