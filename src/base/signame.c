/*
 * Signal names and numbers, the realtime ones by their distance from the ends.
 */
#include "base/signame.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"

static const struct {
    const char *name;
    int number;
} names[] = {
    { "HUP", SIGHUP },       { "INT", SIGINT },   { "QUIT", SIGQUIT }, { "ILL", SIGILL },
    { "TRAP", SIGTRAP },     { "ABRT", SIGABRT }, { "BUS", SIGBUS },   { "FPE", SIGFPE },
    { "KILL", SIGKILL },     { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 },
    { "PIPE", SIGPIPE },     { "ALRM", SIGALRM }, { "TERM", SIGTERM }, { "STKFLT", SIGSTKFLT },
    { "CHLD", SIGCHLD },     { "CONT", SIGCONT }, { "STOP", SIGSTOP }, { "TSTP", SIGTSTP },
    { "TTIN", SIGTTIN },     { "TTOU", SIGTTOU }, { "URG", SIGURG },   { "XCPU", SIGXCPU },
    { "XFSZ", SIGXFSZ },     { "PROF", SIGPROF }, { "IO", SIGIO },     { "PWR", SIGPWR },
    { "VTALRM", SIGVTALRM }, { "SYS", SIGSYS },   { "POLL", SIGPOLL }, { "WINCH", SIGWINCH },
};

/* The digits after "RTMIN+", "RTMAX-", or all of a number; -1 when there is anything else. */
static int small_number(const char *text)
{
    int value = 0;

    if (text[0] == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > 99)
            return -1;
        value = value * 10 + (*text - '0');
    }
    return value;
}

static int realtime(const char *text)
{
    int number = 0;

    if (strcasecmp(text, "RTMIN") == 0)
        return SIGNAME_FIRST_REALTIME;
    if (strcasecmp(text, "RTMAX") == 0)
        return SIGNAME_LAST;
    if (strncasecmp(text, "RTMIN+", 6) == 0 && small_number(text + 6) >= 0)
        number = SIGNAME_FIRST_REALTIME + small_number(text + 6);
    else if (strncasecmp(text, "RTMAX-", 6) == 0 && small_number(text + 6) >= 0)
        number = SIGNAME_LAST - small_number(text + 6);
    return number >= SIGNAME_FIRST_REALTIME && number <= SIGNAME_LAST ? number : 0;
}

int signame_number(const char *text)
{
    int number = small_number(text);

    if (number >= 0)
        return number <= SIGNAME_LAST ? number : 0;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(text, names[i].name) == 0)
            return names[i].number;
    return realtime(text);
}

const char *signame_text(int number, char *out, size_t out_size)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        if (names[i].number == number) {
            snprintf(out, out_size, "%s", names[i].name);
            return out;
        }
    }
    if (number >= SIGNAME_FIRST_REALTIME && number <= SIGNAME_LAST)
        snprintf(out, out_size, "RTMIN+%d", number - SIGNAME_FIRST_REALTIME);
    else
        snprintf(out, out_size, "%d", number);
    return out;
}
