// SPDX-License-Identifier: BSD-3-Clause
//
// Every limit, time-out and default of an engine, in one place.

#pragma once

#include "sheaf/request.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace spdlog {
class logger;
}

namespace sheaf {

class backend;

/// Bounds of one database's sessions (all loops together).
struct pool_options {
  std::size_t max_size = 10;          ///< Maximum number of sessions; cancelling and connecting ones count.
  std::size_t min_size = 0;           ///< Sessions that are opened at once and kept, used or not.
  std::size_t max_queue_size = 10000; ///< Maximum number of queries that wait for a session.
  std::chrono::nanoseconds acquire_timeout = std::chrono::seconds{30}; ///< Longest wait for a session.
  std::size_t connecting_limit = 4;                                    ///< Sessions being opened at once, at most.
  /// A session is not used again after this, give or take a tenth so that they do not all end at once.
  std::chrono::nanoseconds max_lifetime = std::chrono::minutes{30};
  std::chrono::nanoseconds idle_timeout = std::chrono::minutes{10}; ///< An idle one above `min_size` ends after this.
  /// Idle sessions are asked for a sign of life this often. One that has been idle for half a minute, or for this if it
  /// is less, is asked once more before it is used.
  std::chrono::nanoseconds keepalive_interval = std::chrono::minutes{2};
  /// A query that keeps its session longer than this is reported in the log, once.
  std::optional<std::chrono::nanoseconds> leak_detection_threshold;
};

/// When a PostgreSQL session is reset between two queries, so that the next one finds nothing of the last: no settings,
/// temporary tables, locks, prepared statements, no seed of random().
enum class session_reset : std::uint8_t {
  when_needed, ///< After what may leave something, by its words: anything but queries and writes that call PostgreSQL's
               ///< own functions alone. A view or trigger of your own that changes its session is not seen through,
               ///< unless the server tells of the change, as of `timezone`.
  always, ///< After each query: a round trip, in which the server works for about as long as for two small queries.
  never,  ///< Open transactions are rolled back all the same. For poolers and proxies that do it, and for sessions
          ///< whose traces are meant for the next query.
};

/// The pooler between the engine and a PostgreSQL server, which shares the server's connections among its clients.
enum class pooler : std::uint8_t {
  automatic,   ///< One in transaction mode, if the server's process is another than the one that the login named.
  none,        ///< Nothing.
  session,     ///< Each session has a server connection for itself, as if nothing were there.
  transaction, ///< Each transaction has one: what a statement leaves in its session would be another client's.
  statement,   ///< Each statement has one: there are no transactions.
};

/// The journal of an SQLite file that is to be written. A file that is only read is never changed.
enum class journal_mode : std::uint8_t {
  wal,  ///< The file is put into WAL mode before the first write, and stays in it: reads go on beside a write.
  keep, ///< The one that the file has. With a rollback journal a write is committed while nobody reads, and a read
        ///< waits.
};

struct database_options {
  std::string name = "main";
  /// `postgresql://…` or a libpq keyword string; `sqlite:path`, with `?mode=rwc` to create the file, `?mode=ro` to only
  /// read, `?immutable=1` to only read a file that nobody writes (docs/sqlite.md).
  std::string url;
  const sheaf::backend* backend = nullptr; ///< Null: the kind that the URL's scheme names.
  pool_options pool;
  std::size_t statement_cache_size = 256; ///< Prepared statements kept per session; 0 prepares none.
  /// Under `transaction` and `statement` a statement that leaves something in its session (`set`, `listen`, a temporary
  /// table) is `invalid_request`, and of what a C++ task leaves only an open transaction is undone.
  sheaf::pooler pooler = sheaf::pooler::automatic;
  session_reset reset = session_reset::when_needed; ///< Has no effect behind a pooler, nor on SQLite.
  sheaf::journal_mode journal_mode = sheaf::journal_mode::wal;
  packing pack = packing::automatic; ///< Of all queries that it runs.
  /// Longest wait for a cancelled statement to confirm before its connection is destroyed.
  std::chrono::nanoseconds cancel_wait_timeout = std::chrono::seconds{5};
};

struct options {
  std::vector<database_options> databases; ///< At least one; queries that name none go to the first.
  std::chrono::nanoseconds deadline = std::chrono::seconds{30}; ///< Deadline of a request that sets none.
  std::size_t width = 0; ///< Queries of one request at once; 0 for as many of each database as its pool has sessions.
  std::size_t max_rows = 100'000; ///< Maximum for one result.
  /// Maximum for one result, about what it takes in memory. Each cell counts 16 bytes, NULL too, and besides those of
  /// its value, as text where it comes as that; but for booleans, numbers of a fixed size, and PostgreSQL's `date`,
  /// `timestamp` and `uuid`.
  std::size_t max_bytes = 64 << 20;
  /// Maximum for the requests that the loops have taken up and not answered yet, about what they take in memory without
  /// their rows: 1 KiB for each request and each query, and the bytes of parameters and of texts that no `statement`
  /// shares. One more is refused with `overloaded`.
  std::size_t max_pending_bytes = 256 << 20;
  std::size_t loops = 1; ///< Event loops (threads); each has its share of the sessions.
  /// The logger that the engine writes to; null for none. Its loops write, so a logger whose sinks may wait for a disk
  /// or a network should be an asynchronous one (spdlog's `async_factory`). No parameter's value is ever in it.
  std::shared_ptr<spdlog::logger> logger;

  /// The first thing wrong with these options, or nothing.
  std::optional<failure> validate() const;
};

/// Options for one database with the defaults for everything else.
options for_database(std::string url, pool_options pool = {});

} // namespace sheaf
