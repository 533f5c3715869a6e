// SPDX-License-Identifier: BSD-3-Clause
//
// The blocking half of an SQLite session: one soci::session and what runs on it. Unless a function says otherwise, it
// is called on the blocking executor, by one job at a time.

#pragma once

#include "sheaf/backend/sqlite/statement.hpp"
#include "sheaf/backend/sqlite/url.hpp"
#include "sheaf/options.hpp"
#include "sheaf/session/row_collector.hpp"
#include "sheaf/session/session.hpp"

#include <soci/session.h>

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sheaf {

/// State that the sessions of one database share.
struct sqlite_database {
  std::string name;
  sqlite_url url;
  std::string uri;
  std::size_t statement_cache_size = 0;
  sheaf::journal_mode journal_mode = sheaf::journal_mode::wal;
  std::timed_mutex wal_switch; ///< Sessions that change the journal mode at the same time get into each other's way.
};

class sqlite_connection {
public:
  /// Opens the file and looks into it, so that one that is missing, is a folder or is not a database is
  /// `connect_failed` now. Waits until `end` at most, for locks and for sessions that use a file of this name that
  /// has been replaced.
  static result<std::shared_ptr<sqlite_connection>> open(const std::shared_ptr<sqlite_database>& database,
                                                         attempt_end end);

  ~sqlite_connection(); ///< Closes the file, which may write its WAL back: not on a loop.

  sqlite_connection(const sqlite_connection&) = delete;
  sqlite_connection& operator=(const sqlite_connection&) = delete;

  /// Called before a job, by the thread that hands it to the executor.
  void prepare_for(const execution& job) noexcept;

  /// The result of a run: rows to hand on, the answer, or, last, both.
  struct step {
    std::optional<table> part;
    std::optional<answer> end;
  };

  /// Runs it; without an `end`, the same call goes on with it once more rows are wanted. At the end no transaction is
  /// open, or the connection is not usable. Where the file has been replaced or deleted, the one of its name is opened
  /// first.
  step run(const execution& job);

  /// Runs reads one after the other, each as `run` does: when one fails, the others run all the same.
  std::vector<packed_answer> run_pack(const std::vector<execution>& pack);

  /// Any thread: makes the running job fail soon. A C++ task is only stopped when it uses its session.
  void stop() noexcept;

  /// Any thread: the moments of the running job, or the last one.
  run_listener::moments progress() const noexcept;

  /// Any thread.
  bool usable() const noexcept { return usable_.load(); }

private:
  enum class stop_reason : std::uint8_t { none, stopped, deadline };

  explicit sqlite_connection(std::shared_ptr<sqlite_database> database);

  std::optional<failure> open_file();
  bool has_another_file() const noexcept;
  bool close_another_file();
  bool have_others_close_another_file();
  void close_file();
  failure written_elsewhere() const;

  void install_handlers();
  void prepare_to_write();
  int execute(const char* sql);

  /// A statement whose rows are being read.
  struct reading {
    reading(sqlite_statement& which, std::int64_t changes) noexcept : statement(&which), changes_before(changes) {}

    struct release {
      void operator()(sqlite_statement* x) const noexcept { x->release(); }
    };
    std::unique_ptr<sqlite_statement, release> statement;
    std::int64_t changes_before; ///< The connection's count of changes.
    int code = 0;                ///< Result code of the last step, for the row that is taken next.
    std::optional<row_collector> rows;
  };

  answer run_task_of(const execution& job);
  step run_statement(const execution& job);
  std::optional<failure> begin(const execution& job);
  step read(const execution& job);
  failure abandon(failure why);
  failure step_failure(int code, const execution& job) const;
  void explain_stop(failure& f, bool is_task) const;
  void undo_open_transaction();
  bool still_open();

  bool must_stop() noexcept;
  int wait_for_lock(int times_waited) noexcept;

  using instant = std::atomic<clock::time_point::rep>; ///< 0: not there yet.
  static void note(instant& x) noexcept { x.store(clock::now().time_since_epoch().count()); }

  /// A file, whatever its name is.
  struct file_identity {
    dev_t device = 0;
    ino_t number = 0;

    bool operator==(const file_identity&) const = default;
  };
  static std::optional<file_identity> identity_of(const std::string& path) noexcept;

  const std::shared_ptr<sqlite_database> database_;
  std::mutex job_; ///< Held while a job runs on a thread: an idle connection's file may be closed by others.
  /// Held for a moment to change `db_` and `identity_`, and to read them without `job_`.
  mutable std::mutex handle_;
  soci::session session_;
  sqlite_api::sqlite3* db_ = nullptr;     ///< The session's own handle; null while its file is closed.
  std::optional<file_identity> identity_; ///< The open file's; nothing for a database in memory.
  sqlite_statement_cache statements_;
  clock::time_point deadline_{};
  std::shared_ptr<const std::atomic<bool>> engine_ends_; ///< While the file is opened for the first time.
  bool is_task_ = false;
  bool is_guarded_ = false; ///< The running statement may change nothing.
  bool wants_wal_ = false, has_waited_for_wal_ = false;
  std::optional<reading> reading_; ///< Set from a statement's first step to its end.
  stop_reason stop_reason_ = stop_reason::none;

  // Any thread.
  std::atomic<bool> stop_requested_ = false;
  std::atomic<bool> usable_ = true;
  instant sent_ = 0, first_row_ = 0, last_row_ = 0;
};

} // namespace sheaf
