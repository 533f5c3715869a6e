// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sqlite_session.hpp"

#include "sheaf/blocking_executor.hpp"
#include "sheaf/event_loop.hpp"
#include "sheaf/options.hpp"
#include "sheaf/sqlite_connection.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include <fmt/format.h>

#include <atomic>
#include <cassert>
#include <optional>
#include <utility>

namespace sheaf {

namespace {

/// Who is to hear of the running job's end. On the loop; shared with the job, because the session may go first.
struct audience {
  session_listener* listener = nullptr;
  std::function<void()> canceled;
  bool running = false;

  void hear(answer what, const session_listener::moments& when) {
    running = false;
    auto* who = std::exchange(listener, nullptr);
    if (auto done = std::exchange(canceled, nullptr))
      done();
    else if (who)
      who->on_answer(std::move(what), when);
  }
};

class sqlite_session final : public session {
public:
  sqlite_session(event_loop& loop, blocking_executor& blocking, std::shared_ptr<sqlite_connection> connection, int id)
    : loop_(loop), blocking_(blocking), connection_(std::move(connection)), id_(id) {}

  /// Closing the file may take long. The last who holds the connection closes it: this job, or the one that still runs.
  ~sqlite_session() override {
    audience_->listener = nullptr;
    audience_->canceled = nullptr;
    if (audience_->running)
      connection_->stop();
    blocking_.run([connection = std::move(connection_)] {});
  }

  void execute(execution job, session_listener& listener) override {
    assert(!audience_->running);
    audience_->running = true;
    audience_->listener = &listener;
    handed_over_ = clock::now();
    connection_->prepare_for(job);
    blocking_.run([loop = loop_.shared_from_this(), connection = connection_, audience = audience_,
                   job = std::move(job)]() mutable {
      auto what = connection->run(job);
      const auto when = connection->progress();
      // The job goes along: what it keeps alive may not like to end on this thread.
      loop->post([audience = std::move(audience), what = std::move(what), when, job = std::move(job)]() mutable {
        audience->hear(std::move(what), when);
      });
    });
  }

  void cancel(std::function<void()> done) override {
    if (!audience_->running) {
      loop_.post(std::move(done));
      return;
    }
    assert(!audience_->canceled);
    audience_->listener = nullptr;
    audience_->canceled = std::move(done);
    connection_->stop();
  }

  /// As soon as the job is on its way to a thread, it may be writing.
  session_listener::moments progress() const noexcept override {
    auto reached = connection_->progress();
    if (audience_->running && reached.sent == clock::time_point{})
      reached.sent = handed_over_;
    return reached;
  }

  bool usable() const noexcept override { return connection_->usable(); }
  void on_broken(std::function<void()>) override {}
  int id() const noexcept override { return id_; }

private:
  event_loop& loop_;
  blocking_executor& blocking_;
  std::shared_ptr<sqlite_connection> connection_;
  std::shared_ptr<audience> audience_ = std::make_shared<audience>();
  clock::time_point handed_over_{};
  const int id_;
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
    blocking_.run([loop = loop.shared_from_this(), &blocking = blocking_, database = database_, give_up,
                   done = std::move(done)]() mutable {
      auto opened = sqlite_connection::open(*database, give_up);
      auto& home = *loop;
      home.post([&home, &blocking, opened = std::move(opened), done = std::move(done)]() mutable {
        if (opened.has_error())
          done(std::move(opened).error());
        else
          done(std::unique_ptr<session>{new sqlite_session{home, blocking, std::move(*opened), next_id()}});
      });
    });
  }

  sheaf::dialect dialect() const noexcept override { return dialect::sqlite; }
  std::string_view system_name() const noexcept override { return "sqlite"; }

private:
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
  shared->url = std::move(*url);
  shared->statement_cache_size = database.statement_cache_size;
  try {
    return std::unique_ptr<session_factory>{std::make_unique<sqlite_factory>(std::move(shared), blocking)};
  } catch (const soci::soci_error&) {
    return failure{
        .code = errc::connect_failed, .phase = phase::connect, .message = "no database in memory could be made"};
  }
}

} // namespace sheaf
