#ifndef KEYROLL_CPOSTGRESQL_H
#define KEYROLL_CPOSTGRESQL_H
#include <libpq-fe.h>

/* Notices go nowhere: standard error belongs to the command. */
static inline void keyroll_no_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

static inline void keyroll_silence(PGconn *connection) {
    PQsetNoticeReceiver(connection, keyroll_no_notice, NULL);
}
#endif
