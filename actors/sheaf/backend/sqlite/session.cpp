// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/sqlite/session.hpp"

#include "sheaf/backend/sqlite/connection.hpp"
#include "sheaf/backend/sqlite/vfs.hpp"
#include "sheaf/loop/blocking_executor.hpp"
#include "sheaf/loop/event_loop.hpp"
#include "sheaf/options.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <fmt/format.h>

#include <atomic>
#include <new>
#include <optional>
#include <utility>

namespace sheaf {

namespace {

class sqlite_session final : public session {
public:
  sqlite_session(event_loop& loop, blocking_executor& blocking, std::shared_ptr<sqlite_connection> connection, int id)
    : loop_(loop), blocking_(blocking), connection_(std::move(connection)), id_(id) {}

  /// Closing the file may take long. The last who holds the connection closes it: this job, or the one that still runs.
  ~sqlite_session() override {
    if (run_)
      connection_->stop();
    blocking_.run([connection = std::move(connection_)] {});
  }

  bool takes_packs() const noexcept override { return true; }
  std::size_t room() const noexcept override { return run_ ? 0 : 1; }

  /// As soon as the job is on its way to a thread, it may be writing.
  run_listener::moments progress(const session_run& x) const noexcept override {
    auto reached = connection_->progress();
    if (reached.sent == clock::time_point{})
      reached.sent = x.when.sent;
    return reached;
  }

  bool usable() const noexcept override { return connection_->usable(); }
  void on_broken(std::function<void()>) override {}
  int id() const noexcept override { return id_; }

private:
  void start(session_run& x) override {
    run_ = &x;
    x.when.sent = clock::now();
    connection_->prepare_for(x.job);
    work(x.job);
  }

  /// One visit to a thread serves all of them: the way there and back takes ten times as long as a lookup.
  void start_pack(session_run& x) override {
    run_ = &x;
    x.when.sent = clock::now();
    connection_->prepare_for(x.pack.front());
    blocking_.run([loop = loop_.shared_from_this(), connection = connection_, alive = std::weak_ptr{alive_},
                   pack = x.pack, keep_alive = x.job.keep_alive]() mutable {
      auto got = connection->run_pack(pack);
      const auto when = connection->progress();
      loop->post([alive = std::move(alive), got = std::move(got), when, keep_alive = std::move(keep_alive)]() mutable {
        if (const auto self = alive.lock())
          (*self)->hear_pack(std::move(got), when);
      });
    });
  }

  void hear_pack(std::vector<packed_answer> got, const run_listener::moments& when) {
    auto& x = *std::exchange(run_, nullptr);
    x.when = when;
    finish_pack(x, std::move(got));
  }

  void stop(session_run& x) override {
    connection_->stop();
    go_on(x); // to its end, which is near
  }

  void go_on(session_run&) override {
    if (paused_)
      work(*std::exchange(paused_, std::nullopt));
  }

  /// Runs a job until it is over, or has rows to hand on: no thread waits for their taker.
  void work(execution job) {
    blocking_.run([loop = loop_.shared_from_this(), connection = connection_, alive = std::weak_ptr{alive_},
                   job = std::move(job)]() mutable {
      auto reached = connection->run(job);
      const auto when = connection->progress();
      // The job goes along: some of what it keeps alive should not end on this thread.
      loop->post([alive = std::move(alive), reached = std::move(reached), when, job = std::move(job)]() mutable {
        if (const auto self = alive.lock())
          (*self)->hear(std::move(reached), when, std::move(job));
      });
    });
  }

  void hear(sqlite_connection::step reached, const run_listener::moments& when, execution job) {
    auto& x = *run_;
    if (!reached.end)
      paused_ = std::move(job);
    if (reached.part && x.listener)
      x.listener->on_rows(std::move(*reached.part));
    if (x.state == session_run::status::dropped)
      go_on(x);
    if (!reached.end)
      return;
    x.when = when;
    run_ = nullptr;
    finish(x, std::move(*reached.end));
  }

  event_loop& loop_;
  blocking_executor& blocking_;
  std::shared_ptr<sqlite_connection> connection_;
  const int id_;

  session_run* run_ = nullptr;      ///< Null while idle.
  std::optional<execution> paused_; ///< Its job, while no more of its rows are wanted.

  std::shared_ptr<sqlite_session*> alive_ = std::make_shared<sqlite_session*>(this); ///< Others hold it weakly.
};

class sqlite_factory final : public session_factory {
public:
  sqlite_factory(std::shared_ptr<sqlite_database> database, blocking_executor& blocking)
    : database_(std::move(database)), blocking_(blocking) {
    if (database_->url.mode == sqlite_mode::memory)
      anchor_.emplace(soci::sqlite3, "dbname=" + database_->uri);
  }

  void open(event_loop& loop, clock::time_point give_up,
            std::function<void(result<std::unique_ptr<session>>)> done) override {
    blocking_.run([loop = loop.shared_from_this(), &blocking = blocking_, database = database_,
                   end = end_of_attempt(give_up), done = std::move(done)]() mutable {
      auto opened = sqlite_connection::open(database, std::move(end));
      auto& home = *loop;
      home.post([&home, &blocking, opened = std::move(opened), done = std::move(done)]() mutable {
        done(made(home, blocking, std::move(opened)));
      });
    });
  }

  bool takes_packs() const noexcept override { return true; }
  sheaf::dialect dialect() const noexcept override { return dialect::sqlite; }

private:
  static result<std::unique_ptr<session>> made(event_loop& loop, blocking_executor& blocking,
                                               result<std::shared_ptr<sqlite_connection>> opened) {
    if (opened.has_error())
      return std::move(opened).error();
    try {
      return std::unique_ptr<session>{std::make_unique<sqlite_session>(loop, blocking, std::move(*opened), next_id())};
    } catch (const std::bad_alloc&) {
      return failure{
          .code = errc::internal, .phase = phase::connect, .message = "there is no memory for another session"};
    }
  }

  static int next_id() {
    static std::atomic<int> last = 0;
    return ++last;
  }

  const std::shared_ptr<sqlite_database> database_;
  blocking_executor& blocking_;
  std::optional<soci::session> anchor_; ///< Keeps a database in memory while no session is open.
};

/// A name for a database in memory that no other factory of this process has.
std::string memory_name() {
  static std::atomic<unsigned> last = 0;
  return fmt::format("sheaf-{}", ++last);
}

} // namespace

result<std::unique_ptr<session_factory>> make_sqlite_factory(const database_options& database,
                                                             blocking_executor& blocking) {
  auto url = parse_sqlite_url(database.url);
  if (url.has_error())
    return std::move(url).error();
  // SOCI 4.0.3 has no way to open a file without creating it; SQLite's URI names have, where they are compiled in.
  if (sqlite_api::sqlite3_compileoption_used("USE_URI") == 0)
    return failure{.code = errc::internal, .message = "this SQLite library was built without SQLITE_USE_URI"};
  auto shared = std::make_shared<sqlite_database>();
  shared->name = database.name;
  shared->uri = sqlite_uri(*url, memory_name());
  if (url->mode != sqlite_mode::memory) {
    const auto* vfs = sqlite_vfs_name();
    if (!vfs)
      return failure{.code = errc::internal, .message = "SQLite has no memory for a file system of ours"};
    shared->uri += fmt::format("&vfs={}", vfs);
  }
  shared->url = std::move(*url);
  shared->statement_cache_size = database.statement_cache_size;
  shared->journal_mode = database.journal_mode;
  try {
    return std::unique_ptr<session_factory>{std::make_unique<sqlite_factory>(std::move(shared), blocking)};
  } catch (const soci::soci_error&) {
    return failure{
        .code = errc::connect_failed, .phase = phase::connect, .message = "no database in memory could be made"};
  }
}

} // namespace sheaf
