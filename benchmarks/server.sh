# A PostgreSQL server of a benchmark's own, to be sourced: server_start FOLDER, server_stop FOLDER.
# Unix socket only; everything lies in FOLDER, which does not exist yet.

programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)

# The server refuses to run as root.
server_user() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi; }

server_start() {
    mkdir "$1"
    [ "$(id -u)" != 0 ] || chown postgres: "$1"
    (
        cd "$1"
        server_user "$programs/initdb" -D data -U postgres -A trust -E UTF8 --locale=C >initdb.log
        # As a server of its own has them; the disk is waited for (fsync), and whole blocks go into the log after a
        # checkpoint.
        server_user tee -a data/postgresql.conf >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$1'
unix_socket_permissions = 0777
shared_buffers = 512MB
max_wal_size = 4GB
checkpoint_timeout = 15min
fsync = on
max_connections = 100
CONF
        server_user "$programs/pg_ctl" -D data -l server.log -w start >/dev/null
    )
}

server_stop() { (cd "$1" && server_user "$programs/pg_ctl" -D data -m immediate stop) >/dev/null 2>&1 || true; }
