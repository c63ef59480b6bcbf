/* The server's processes: started, replaced, told and ended. */
#ifndef INIT_SERVERS_H
#define INIT_SERVERS_H

#include <stdbool.h>

#include "init/life.h"

/* Each returns true when an event follows at once. */
bool servers_start(struct loop *loop, struct event *follows);
bool servers_start_new(struct loop *loop, struct event *follows);
/* Is the one that runs ready, after it was told to reload itself? */
bool servers_ask(struct loop *loop, struct event *follows);

/* The new one becomes the server, because the old one ended early. */
void servers_promote(struct loop *loop);
/* The new one becomes the server; the old one does what it has in hand, and is told to stop. */
void servers_take_over(struct loop *loop);
void servers_retire(const struct loop *loop);
/* The new one is ended, and the old one goes on. */
void servers_abandon(struct loop *loop);
void servers_kill_old(const struct loop *loop);

/* Tells the server, and a second one if there is one, to stop: with what the signal that asked for
 * it means to this server. 0: nobody asked by a signal. */
void servers_stop(const struct loop *loop, int asked);
void servers_kill(const struct loop *loop);
void servers_forward(struct loop *loop, int number);

/* Is it the main process of a server? */
bool servers_has(const struct loop *loop, pid_t pid);
/* It has ended with this wait status. */
struct event servers_ended(struct loop *loop, pid_t pid, int status);
/* The probe has: is the server ready? */
struct event servers_probed(struct loop *loop, int status);

/* Ctrl-Z stopped the server. */
void servers_suspend(const struct loop *loop);

#endif
