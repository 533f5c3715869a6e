// SPDX-License-Identifier: BSD-3-Clause
//
// One suite for every kind of database: the same few queries on PostgreSQL, on SQLite and on scripted sessions, and an
// engine that runs them.

#pragma once

#include "sheaf/core/engine_core.hpp"
#include "support/scripted_session.hpp"
#include "support/tidy_test.hpp"

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace sheaf::test {

enum class database_kind { postgresql, sqlite, scripted };

/// A database of the test's own, and queries that all kinds of databases have.
class database_under_test {
public:
  virtual ~database_under_test() = default;

  virtual options engine_options(pool_options pool = {}) const = 0;

  virtual query answers(std::string name, int n) const; ///< One cell, which is `n`.
  virtual query fails(std::string name) const;          ///< `rejected_sql`.
  virtual query never_ends(std::string name) const = 0; ///< It runs until it is cancelled.
  virtual query meets(std::string name,
                      int size) const; ///< One cell: its session. Ends once `size` of them run at once.
  virtual query in_turn(std::string name,
                        int before) const; ///< One cell: its session. Ends after `before` others have.

  virtual int sessions() = 0; ///< Open sessions, as the database or the operating system sees them.
  virtual int running() = 0;  ///< Endless statements that run, as the database sees it.
};

std::unique_ptr<database_under_test> make_database(database_kind kind);

/// A folder of the test's own.
class temporary_folder {
public:
  temporary_folder();
  ~temporary_folder();

  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  std::string operator/(const std::string& name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

/// The scripted database behind a `database_under_test` of that kind.
scripted_database& script_of(database_under_test& x);

request request_of(std::vector<query> queries, error_policy on_error = error_policy::fail);

/// `count` queries: those that `make` gives for 0, 1, 2, ….
request request_of(int count, const std::function<query(int)>& make);

/// The maximum number of queries of a reply that had a session at the same time.
int most_at_once(const reply& got);

/// The number that a query answered with, or a failure of the test.
int number_in(const outcome& got);

class AnyDatabase : public TidyTest, public ::testing::WithParamInterface<database_kind> {
protected:
  void SetUp() override { count_what_is_there(); }
  void TearDown() override;

  /// Starts the engine, with `pool` for its only database. `change` may change the rest.
  engine_core& start(pool_options pool = {}, const std::function<void(options&)>& change = {});

  /// The same, with all its sessions open: the deadlines of a test are not spent on opening.
  engine_core& start_ready(pool_options pool, const std::function<void(options&)>& change = {});

  reply run(request asked) { return engine->run(std::move(asked)); }
  std::future<reply> run_later(request asked);

  pool_stats stats() const; ///< All loops together.
  bool is(database_kind x) const { return GetParam() == x; }

  std::unique_ptr<database_under_test> database = make_database(GetParam());
  std::unique_ptr<engine_core> engine;
};

std::string name_of(const ::testing::TestParamInfo<database_kind>& x);

} // namespace sheaf::test

/// Makes a suite derived from AnyDatabase run against each of them.
#define SHEAF_ON_EVERY_DATABASE(Suite)                                                                                 \
  INSTANTIATE_TEST_SUITE_P(Databases, Suite,                                                                           \
                           ::testing::Values(sheaf::test::database_kind::postgresql,                                   \
                                             sheaf::test::database_kind::sqlite,                                       \
                                             sheaf::test::database_kind::scripted),                                    \
                           sheaf::test::name_of)

/// The same, for suites that need real SQL.
#define SHEAF_ON_EVERY_SQL_DATABASE(Suite)                                                                             \
  INSTANTIATE_TEST_SUITE_P(                                                                                            \
      Databases, Suite, ::testing::Values(sheaf::test::database_kind::postgresql, sheaf::test::database_kind::sqlite), \
      sheaf::test::name_of)
