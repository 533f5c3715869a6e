// SPDX-License-Identifier: BSD-3-Clause

#include "support/database_under_test.hpp"

#include "support/effort.hpp"
#include "support/postgresql_server.hpp"
#include "support/sqlite_functions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <utility>

namespace sheaf::test {

namespace {

class postgresql_database final : public database_under_test {
public:
  options engine_options(pool_options pool) const override { return for_database(schema_.url(), pool); }
  query never_ends(std::string name) const override { return {std::move(name), "select pg_sleep(86400)"}; }
  int sessions() override { return schema_.backends(); }
  int running() override { return schema_.running(); }

private:
  postgresql_schema schema_;
};

class sqlite_database_file final : public database_under_test {
public:
  sqlite_database_file() {
    add_sqlite_functions();
    std::ofstream{folder_ / file};
  }
  options engine_options(pool_options pool) const override { return for_database("sqlite:" + folder_ / file, pool); }
  query never_ends(std::string name) const override {
    return {std::move(name),
            "with recursive n(x) as (select 1 union all select x + 1 from n where endless(0)) select count(*) from n"};
  }
  int sessions() override { return static_cast<int>(descriptors_of(folder_ / file)); }
  int running() override { return endless_sqlite_statements(); }

private:
  static constexpr auto file = "test.db";
  temporary_folder folder_;
};

class scripted final : public database_under_test {
public:
  options engine_options(pool_options pool) const override { return script.engine_options(pool); }
  query answers(std::string name, int n) const override { return {std::move(name), fmt::format("answer {}", n)}; }
  query fails(std::string name) const override { return {std::move(name), "fail"}; }
  query never_ends(std::string name) const override { return {std::move(name), "never"}; }
  query meets(std::string name, int size) const override { return {std::move(name), fmt::format("meet {}", size)}; }
  query in_turn(std::string name, int before) const override {
    return {std::move(name), fmt::format("turn {}", before)};
  }
  int sessions() override { return script.now().open; }
  int running() override { return script.now().running; }

  scripted_database script;
};

} // namespace

query database_under_test::answers(std::string name, int n) const {
  return {std::move(name), fmt::format("select {} as n", n)};
}

query database_under_test::fails(std::string name) const { return {std::move(name), "select * from no_such_table"}; }

query database_under_test::meets(std::string name, int size) const {
  return {std::move(name), "select meet(:size)", {{"size", size}}};
}

query database_under_test::in_turn(std::string name, int before) const {
  return {std::move(name), "select in_turn(:before)", {{"before", before}}};
}

std::unique_ptr<database_under_test> make_database(database_kind kind) {
  switch (kind) {
  case database_kind::postgresql:
    return std::make_unique<postgresql_database>();
  case database_kind::sqlite:
    return std::make_unique<sqlite_database_file>();
  default:
    return std::make_unique<scripted>();
  }
}

scripted_database& script_of(database_under_test& x) { return dynamic_cast<scripted&>(x).script; }

temporary_folder::temporary_folder() {
  auto name = (std::filesystem::temp_directory_path() / "sheaf-test-XXXXXX").string();
  if (!::mkdtemp(name.data()))
    throw std::runtime_error("no temporary folder");
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

request request_of(std::vector<query> queries, error_policy on_error) {
  request asked;
  asked.queries = std::move(queries);
  asked.on_error = on_error;
  return asked;
}

request request_of(int count, const std::function<query(int)>& make) {
  request asked;
  for (int i = 0; i < count; ++i)
    asked.queries.push_back(make(i));
  return asked;
}

int most_at_once(const reply& got) {
  std::multimap<std::chrono::nanoseconds, int>
      changes; // a session that is given back counts before one that is taken at that moment
  for (const auto& x : got.outcomes) {
    EXPECT_LE(x.times.queued, x.times.acquired);
    EXPECT_LE(x.times.acquired, x.times.released);
    changes.emplace(x.times.released, -1);
  }
  for (const auto& x : got.outcomes)
    changes.emplace(x.times.acquired, 1);
  int now = 0, most = 0;
  for (const auto& [when, change] : changes)
    most = std::max(most, now += change);
  return most;
}

int number_in(const outcome& got) {
  if (const auto* f = got.error_info()) {
    ADD_FAILURE() << to_string(*f);
    return -1;
  }
  return got.table().scalar<int>();
}

engine_core& AnyDatabase::start(pool_options pool, const std::function<void(options&)>& change) {
  auto how = database->engine_options(pool);
  how.databases[0].pack = packing_under_test();
  if (change)
    change(how);
  engine = std::move(engine_core::create(std::move(how), system).value());
  return *engine;
}

engine_core& AnyDatabase::start_ready(pool_options pool, const std::function<void(options&)>& change) {
  pool.min_size = pool.max_size;
  start(pool, change);
  EXPECT_TRUE(eventually([&] { return stats().idle == pool.max_size; }));
  return *engine;
}

void AnyDatabase::TearDown() {
  engine.reset();
  expect_nothing_left();
  EXPECT_TRUE(eventually([&] { return database->sessions() == 0; })) << database->sessions() << " are left";
}

std::future<reply> AnyDatabase::run_later(request asked) {
  auto promise = std::make_shared<std::promise<reply>>();
  engine->submit(std::move(asked), [promise](reply x) { promise->set_value(std::move(x)); });
  return promise->get_future();
}

pool_stats AnyDatabase::stats() const { return engine->loops().stats(0); }

std::string name_of(const ::testing::TestParamInfo<database_kind>& x) {
  switch (x.param) {
  case database_kind::postgresql:
    return "Postgresql";
  case database_kind::sqlite:
    return "Sqlite";
  default:
    return "Scripted";
  }
}

} // namespace sheaf::test
