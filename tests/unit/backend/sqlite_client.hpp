// SPDX-License-Identifier: BSD-3-Clause
//
// SQLite sessions as a test sees them: a loop, an executor, a folder for files, and calls that wait for their answer.

#pragma once

#include "sheaf/backend/sqlite/session.hpp"
#include "sheaf/loop/blocking_executor.hpp"
#include "sheaf/options.hpp"
#include "sheaf/session/session.hpp"
#include "support/loop_test.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::test {

/// A run that was started: its answer comes, or never does.
struct started final : run_listener {
  explicit started(session& on) : on(on) {}
  void on_answer(answer&& got, const moments& when) override { heard.set_value({std::move(got), when}); }

  session& on;
  session_run run;
  std::promise<std::pair<answer, moments>> heard;
  std::future<std::pair<answer, moments>> future = heard.get_future();
};

/// A connection to the same file that is not ours.
struct stranger {
  explicit stranger(const std::string& path) { EXPECT_EQ(sqlite_api::sqlite3_open(path.c_str(), &db), SQLITE_OK); }
  ~stranger() { sqlite_api::sqlite3_close(db); }

  void run(const char* sql) {
    EXPECT_EQ(sqlite_api::sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite_api::sqlite3_errmsg(db);
  }

  sqlite_api::sqlite3* db = nullptr;
};

class SqliteTest : public LoopTest {
protected:
  /// A session that is destroyed on its loop.
  struct on_its_loop {
    SqliteTest* test = nullptr;
    void operator()(session* x) const;
  };
  using session_ptr = std::unique_ptr<session, on_its_loop>;

  SqliteTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sheaf-test-XXXXXX").string();
    folder = mkdtemp(name.data());
  }
  ~SqliteTest() override {
    loop->stop();
    blocking.reset();
    std::filesystem::remove_all(folder);
  }

  std::string path(std::string_view name) const { return folder / name; }

  std::unique_ptr<session_factory> factory_of(std::string url, std::size_t statement_cache_size = 256) {
    database_options options;
    options.url = std::move(url);
    options.statement_cache_size = statement_cache_size;
    auto made = make_sqlite_factory(options, *blocking);
    if (made.has_error())
      throw error(made.error());
    return std::move(*made);
  }

  result<session_ptr> try_open(session_factory& factory, clock::duration patience = std::chrono::minutes{1}) {
    std::promise<result<session_ptr>> opened;
    on_loop([&] {
      factory.open(*loop, clock::now() + patience, [&](result<std::unique_ptr<session>> x) {
        EXPECT_TRUE(loop->runs_here());
        if (x)
          opened.set_value(session_ptr{x->release(), {this}});
        else
          opened.set_value(std::move(x).error());
      });
    });
    return opened.get_future().get();
  }

  /// Opens a session of a factory that the fixture keeps.
  session_ptr open(std::string url, std::size_t statement_cache_size = 256) {
    factories.push_back(factory_of(std::move(url), statement_cache_size));
    return std::move(try_open(*factories.back()).value());
  }

  /// The reason why a URL's database does not open.
  failure open_failure(std::string url, clock::duration patience = std::chrono::minutes{1}) {
    auto factory = factory_of(std::move(url));
    auto opened = try_open(*factory, patience);
    return opened.has_error() ? opened.error() : failure{.message = "it does open"};
  }

  /// Waits until all sessions are closed. All have been destroyed before, and their factories cannot be used any more.
  void wait_for_closed_sessions() { blocking = std::make_unique<blocking_executor>(8); }

  /// Starts a query whose `max_rows` and `max_bytes` count.
  std::shared_ptr<started> start(session& s, query q,
                                 clock::time_point deadline = clock::now() + std::chrono::minutes{5}) {
    auto& x = *runs.emplace_back(std::make_shared<started>(s));
    on_loop([&] {
      auto asked = std::make_shared<const query>(std::move(q));
      x.run.job = {.query = asked.get(),
                   .text = asked->run ? nullptr : asked->statement.parse(dialect::sqlite, asked->parameters).get(),
                   .keep_alive = asked,
                   .deadline = deadline,
                   .max_rows = asked->max_rows.value_or(1'000'000),
                   .max_bytes = asked->max_bytes.value_or(1 << 30)};
      x.run.listener = &x;
      s.push(x.run);
    });
    return runs.back();
  }

  answer run(session& s, query q) { return start(s, std::move(q))->future.get().first; }
  answer run(session& s, statement sql, parameters values = {}) {
    return run(s, {"q", std::move(sql), std::move(values)});
  }

  template <class F>
    requires std::invocable<F&, soci::session&> answer run_task(session& s, F f) {
      return run(s, query::of_task("task", std::move(f)));
    }

  /// The rows, or a failure of the test.
  table rows(session& s, statement sql, parameters values = {}) {
    auto x = run(s, std::move(sql), std::move(values));
    if (const auto* f = std::get_if<failure>(&x))
      throw error(*f);
    return std::get<table>(x);
  }

  failure failure_of(session& s, statement sql, parameters values = {}) {
    return failure_in(run(s, std::move(sql), std::move(values)));
  }

  static failure failure_in(const answer& x) {
    const auto* f = std::get_if<failure>(&x);
    return f ? *f : failure{.message = "there is none"};
  }

  /// Drops the session's last run. The future is ready when the session says that it is over.
  std::future<void> begin_drop(session& s) {
    auto& last = **std::find_if(runs.rbegin(), runs.rend(), [&](const auto& x) { return &x->on == &s; });
    auto over = std::make_shared<std::promise<void>>();
    on_loop([&] {
      auto returned = std::make_shared<bool>(false);
      s.drop(last.run, [over, returned] {
        EXPECT_TRUE(*returned);
        over->set_value();
      });
      *returned = true;
    });
    return over->get_future();
  }

  /// Drops the session's last run, and waits until the session says that it is over.
  void drop(session& s) { begin_drop(s).wait(); }

  static sqlite_api::sqlite3* handle_of(soci::session& s) {
    return static_cast<soci::sqlite3_session_backend*>(s.get_backend())->conn_;
  }

  static bool heard(const started& x) {
    return x.future.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
  }

  /// The `sqlite3` shell's output for `sql`.
  std::string shell(std::string_view file, std::string_view sql) {
    std::ofstream{folder / "shell.sql"} << sql;
    std::string quoted;
    for (const char c : file)
      quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
    const auto command = "sqlite3 -batch '" + quoted + "' < '" + path("shell.sql") + "' 2>&1";
    auto* pipe = popen(command.c_str(), "r");
    std::string out;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
      out += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0) << out;
    std::filesystem::remove(folder / "shell.sql");
    return out;
  }

  /// A table as the shell prints it in its list mode.
  static std::string as_list(const table& t) {
    std::string out;
    for (std::size_t r = 0; r < t.rows(); ++r) {
      for (std::size_t c = 0; c < t.columns(); ++c) {
        out += c > 0 ? "|" : "";
        t.append_text(out, r, c);
      }
      out += '\n';
    }
    return out;
  }

  std::filesystem::path folder;
  std::unique_ptr<blocking_executor> blocking = std::make_unique<blocking_executor>(8);
  std::vector<std::unique_ptr<session_factory>> factories;
  std::vector<std::shared_ptr<started>> runs; ///< All of them: each stays where it is until it is over.
};

inline void SqliteTest::on_its_loop::operator()(session* x) const {
  test->on_loop([x] { delete x; });
}

} // namespace sheaf::test
