/*
 * Some searches of musl's, for the static build. Its own are for long texts: a table or eight bytes
 * at a time. What is searched here are lines, names and sets of a few letters.
 */
#include <string.h>

char *strchr(const char *text, int c)
{
    for (; *text != (char)c; text++)
        if (*text == '\0')
            return NULL;
    return (char *)text;
}

void *memmem(const void *text, size_t text_size, const void *part, size_t part_size)
{
    for (const char *at = text; text_size >= part_size; at++, text_size--)
        if (memcmp(at, part, part_size) == 0)
            return (void *)at;
    return NULL;
}

char *strstr(const char *text, const char *part)
{
    return memmem(text, strlen(text), part, strlen(part));
}
