// SPDX-License-Identifier: BSD-3-Clause
//
// The file of a connection: how it is opened, its journal, and what is done when its name has gone to another file.
//
// SQLite goes on with a file that has lost its name, and what it writes is gone with it. So a connection looks before
// each job, and after each write. It finds the files beside a database (`-wal`, `-shm`) by name: two files of one name
// must not be in use at once (SQLite manual, "How To Corrupt An SQLite Database File", 2.4). So the first who sees that
// the file is another has all others closed, and waits for those that are in use.

#include "sheaf/backend/sqlite/connection.hpp"
#include "sheaf/backend/sqlite/native.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <vector>

namespace sheaf {

using namespace sqlite_api;

namespace {

/// Longest time that a connection's first write waits for WAL mode before it goes on without.
constexpr auto wal_patience = std::chrono::seconds{1};

/// Time between two looks at connections that are busy with a file that was replaced.
constexpr auto between_looks = std::chrono::milliseconds{5};

/// All connections of the process: several engines, or databases of one, may have the same file.
struct connections {
  std::mutex mutex;
  std::vector<sqlite_connection*> all;
};

connections& of_the_process() {
  static auto& x = *new connections; // never destroyed: engines may be static
  return x;
}

/// True for a file that says in its header that it is read by way of a WAL (SQLite manual, "Database File Format").
bool is_in_wal_mode(const std::string& path) {
  std::array<char, 20> header{};
  std::ifstream{path, std::ios::binary}.read(header.data(), header.size());
  return header[19] == 2;
}

/// The reason why a file did not open, in words that help. The path may be a secret of its own: it is not repeated.
failure open_failure(const sqlite_database& database, int code) {
  std::error_code error;
  const auto found = std::filesystem::status(database.url.path, error).type();
  std::string why;
  if (database.url.mode == sqlite_mode::memory)
    why = sqlite3_errstr(code);
  else if (found == std::filesystem::file_type::directory)
    why = "it is a folder, not a file";
  else if (found == std::filesystem::file_type::not_found && database.url.mode == sqlite_mode::rwc)
    why = "it cannot be created: its folder is missing or may not be written to";
  else if (found == std::filesystem::file_type::not_found)
    why = "it is not there; ?mode=rwc at the end of its URL creates it";
  else if ((code & 0xff) == SQLITE_NOTADB)
    why = "it is not an SQLite database, or it is encrypted";
  else if ((code & 0xff) == SQLITE_BUSY)
    why = "another program keeps it locked";
  else if (((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY) && is_in_wal_mode(database.url.path))
    why = "it is in WAL mode, which takes files beside it, and they cannot be made; ?immutable=1 at the end of its URL "
          "reads it without them, for as long as nobody writes it";
  else
    why = fmt::format("{} (SQLite result code {})", sqlite3_errstr(code), code);
  return {.code = errc::connect_failed,
          .phase = phase::connect,
          .message = fmt::format("the SQLite file {} of database {} cannot be opened: {}",
                                 std::filesystem::path{database.url.path}.filename().string(), database.name, why)};
}

} // namespace

// -- open and close
// -----------------------------------------------------------------------------------------------------------------

sqlite_connection::sqlite_connection(std::shared_ptr<sqlite_database> database)
  : database_(std::move(database)), statements_(database_->statement_cache_size) {
  auto& others = of_the_process();
  const std::lock_guard lock{others.mutex};
  others.all.push_back(this);
}

sqlite_connection::~sqlite_connection() {
  {
    const std::lock_guard busy{job_};
    reading_.reset();
    close_file();
  }
  auto& others = of_the_process(); // up to here they could look at this one
  const std::lock_guard lock{others.mutex};
  std::erase(others.all, this);
}

result<std::shared_ptr<sqlite_connection>> sqlite_connection::open(const std::shared_ptr<sqlite_database>& database,
                                                                   attempt_end end) {
  std::shared_ptr<sqlite_connection> opened{new sqlite_connection{database}};
  const std::lock_guard busy{opened->job_};
  opened->deadline_ = end.give_up;
  opened->engine_ends_ = std::move(end.engine_ends);
  if (auto wrong = opened->open_file())
    return std::move(*wrong);
  opened->engine_ends_.reset();
  return opened;
}

/// Opens the file that has the name now. SQLite opens anything: it is the first statement that reads the file, and what
/// is beside it.
std::optional<failure> sqlite_connection::open_file() {
  try {
    // The URI holds nothing that SOCI 4.0.3 would split a connection string at.
    session_.open(soci::sqlite3, "dbname=" + database_->uri);
  } catch (const soci::sqlite3_soci_error& e) {
    return open_failure(*database_, e.result());
  } catch (const std::exception&) { // SOCI has no memory
    return open_failure(*database_, SQLITE_ERROR);
  }
  auto* db = native_sqlite(session_);
  const bool has_file = database_->url.mode != sqlite_mode::memory;
  std::optional<file_identity> identity;
  if (has_file) {
    int moved = 0;
    sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    identity = identity_of(database_->url.path).value_or(file_identity{});
    if (moved != 0) // between its opening and this look: it is none that will ever have the name
      identity = file_identity{};
  }
  {
    const std::lock_guard lock{handle_};
    db_ = db;
    identity_ = identity;
  }
  install_handlers();
  std::optional<failure> wrong;
  if (has_file && !have_others_close_another_file())
    wrong = {.code = errc::connect_failed,
             .phase = phase::connect,
             .message = fmt::format("the SQLite file of database {} was replaced, and a session is still busy with the "
                                    "one that was there before",
                                    database_->name)};
  else if (const int code = execute("pragma schema_version"); code != SQLITE_OK)
    wrong = open_failure(*database_, code);
  if (wrong) {
    close_file();
    return wrong;
  }
  wants_wal_ = database_->journal_mode == journal_mode::wal && has_file && sqlite3_db_readonly(db_, "main") == 0;
  has_waited_for_wal_ = false;
  return std::nullopt;
}

/// Empties the WAL of a file that was replaced: it may still be there by its name, and SQLite would read it into the
/// new file.
void sqlite_connection::close_file() {
  if (!db_)
    return;
  if (has_another_file()) {
    sqlite3_progress_handler(db_, 0, nullptr, nullptr);
    sqlite3_busy_timeout(db_, static_cast<int>(std::chrono::milliseconds{wal_patience}.count()));
    execute("pragma wal_checkpoint(truncate)");
  }
  statements_.clear();
  {
    const std::lock_guard lock{handle_};
    db_ = nullptr;
    identity_.reset();
  }
  session_.close();
}

// -- a file that was replaced
// -----------------------------------------------------------------------------------------------------------------

std::optional<sqlite_connection::file_identity> sqlite_connection::identity_of(const std::string& path) noexcept {
  struct stat found;
  if (::stat(path.c_str(), &found) != 0)
    return std::nullopt;
  return file_identity{found.st_dev, found.st_ino};
}

/// True when the name is no longer that of the open file. Any thread; it takes a system call.
bool sqlite_connection::has_another_file() const noexcept {
  std::optional<file_identity> identity;
  {
    const std::lock_guard lock{handle_};
    identity = identity_;
  }
  return identity && identity_of(database_->url.path) != identity;
}

/// Any thread: closes the file when it has been replaced or deleted; false when it is in use.
bool sqlite_connection::close_another_file() {
  const std::unique_lock idle{job_, std::try_to_lock};
  if (!has_another_file())
    return true;
  if (!idle || reading_)
    return false;
  close_file();
  return true;
}

/// False when one is still busy with its file when this one has to stop.
bool sqlite_connection::have_others_close_another_file() {
  auto& others = of_the_process();
  for (;;) {
    {
      const std::lock_guard lock{others.mutex};
      const auto is_busy = [&](auto* x) {
        return x != this && x->database_->url.path == database_->url.path && !x->close_another_file();
      };
      if (std::count_if(others.all.begin(), others.all.end(), is_busy) == 0) // asks each of them
        return true;
    }
    if (must_stop())
      return false;
    std::this_thread::sleep_for(between_looks);
  }
}

/// It may have been committed before the file was replaced, or after.
failure sqlite_connection::written_elsewhere() const {
  return {.code = errc::connection_lost,
          .phase = phase::execute,
          .message =
              fmt::format("the SQLite file of database {} was replaced or deleted during the write", database_->name),
          .reached_server = true};
}

// -- the journal
// -----------------------------------------------------------------------------------------------------------------

/// Asks for WAL mode, which the file keeps, once it is known that it will be written. While somebody reads it in its
/// old mode it cannot be had: the write goes on without, and the next one asks again.
void sqlite_connection::prepare_to_write() {
  if (!wants_wal_)
    return;
  const auto patience = std::exchange(has_waited_for_wal_, true) ? clock::duration::zero() : wal_patience;
  const auto give_up = std::min(deadline_, clock::now() + patience);
  const std::unique_lock one_at_a_time{database_->wal_switch, give_up};
  if (!one_at_a_time)
    return;
  const auto deadline = std::exchange(deadline_, give_up);
  wants_wal_ = (execute("pragma journal_mode=wal") & 0xff) == SQLITE_BUSY;
  deadline_ = deadline;
  stop_reason_ = stop_reason::none;
}

} // namespace sheaf
