"""Homes whose only store is on the run's own server, and what the server says about itself."""

import os
import subprocess

from home import Failure, Home

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """The server that postgres.sh started; its folder has the socket and the data."""

    def __init__(self, folder: str):
        self.folder = folder
        with open(os.path.join(folder, "data", "postmaster.pid"), encoding="utf-8") as file:
            self.process = int(file.readline())

    def sql(self, database: str, *statements: str) -> list[list[str]]:
        """Rows of the last statement. Each is a transaction of its own."""
        words = [word for statement in statements for word in ("-c", statement)]
        done = subprocess.run(
            ["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "postgres", "-d", database,
             *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{statements[-1]}: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def settings(self) -> dict[str, str]:
        names = ("server_version", "shared_buffers", "max_wal_size", "checkpoint_timeout", "fsync", "full_page_writes",
                 "wal_level", "autovacuum")
        return dict(self.sql("postgres", "SELECT name, current_setting(name) FROM pg_settings WHERE name IN "
                             + str(names)))

    def cpu_seconds(self) -> float:
        """Of all processes there are and were: the postmaster has the account of those that ended."""
        return cpu(self.process, with_ended=True) + sum(cpu(child) for child in children(self.process))

    def checkpoint(self) -> None:
        self.sql("postgres", "CHECKPOINT")

    def log_position(self) -> int:
        """Bytes of write-ahead log that were written since the beginning."""
        return int(self.sql("postgres", "SELECT pg_current_wal_insert_lsn() - '0/0'")[0][0])


def cpu(process: int, with_ended: bool = False) -> float:
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(field) for field in fields[11:15 if with_ended else 13]) / TICKS


def children(process: int) -> list[int]:
    with open(f"/proc/{process}/task/{process}/children", encoding="utf-8") as file:
        return [int(word) for word in file.read().split()]


class ServedHome(Home):
    """A home with one store: a schema in a database of its own."""

    def __init__(self, homes: "Homes", name: str, *options: str):
        self.server = homes.server
        self.database = name.replace("-", "_")
        self.server.sql("postgres", f"CREATE DATABASE {self.database}")
        super().__init__(homes.binary, os.path.join(homes.scratch, "homes"), name, *options)
        self.connection = f"postgresql:///{self.database}?host={self.server.folder}&user=postgres"
        self.run_words("store", "add", "pg", "--kind", "postgres", "--connection", self.connection, "--home", self.path)
        self.run_words("store", "remove", "secrets", "--home", self.path)

    def sql(self, *statements: str) -> list[list[str]]:
        return self.server.sql(self.database, *statements)

    def settle(self) -> None:
        """As a store is that was filled a while ago: vacuumed, everything on the disk."""
        self.sql("VACUUM (ANALYZE)")
        self.server.checkpoint()
        os.sync()

    def sizes(self) -> dict[str, int]:
        """Bytes of the tables (their TOAST tables included) and of all their indexes."""
        rows = self.sql(
            "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
            " WHERE relnamespace = 'keyroll'::regnamespace AND relname IN ('key_page', 'secret')")
        sizes = {}
        for name, table, indexes in rows:
            sizes[name] = int(table)
            sizes[name + " indexes"] = int(indexes)
        return sizes

    def updates(self) -> tuple[int, int]:
        """Of key pages so far: all updates, and those that touched no index (HOT)."""
        # The server's processes tell their figures when they have been idle for a second, or end.
        row = self.sql("SELECT pg_sleep(1.5)",
                       "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'key_page'")[-1]
        return int(row[0]), int(row[1])

    def remove(self) -> None:
        super().remove()
        self.server.sql("postgres", f"DROP DATABASE {self.database}")


class Homes:
    """What the parts share: the binary, the folders, the server, and homes that take long to fill."""

    def __init__(self, arguments, server: Server):
        self.binary, self.scratch, self.server = arguments.binary, arguments.scratch, server
        self.sizes = [int(size) for size in arguments.sizes.split(",")]
        self.runs = arguments.runs
        self.filled: dict[int, ServedHome] = {}
        self.imports: dict[int, float] = {}

    def new(self, name: str) -> ServedHome:
        return ServedHome(self, name)

    def of(self, count: int) -> ServedHome:
        """A home with so many secrets of 64 bytes, which all parts use that change nothing but generations."""
        if count not in self.filled:
            home = self.new(f"filled-{count}")
            self.imports[count] = count / home.fill(count).seconds
            home.settle()
            self.filled[count] = home
        return self.filled[count]
