// SPDX-License-Identifier: BSD-3-Clause

#include "support/postgresql_server.hpp"

#include <fmt/format.h>

#include <libpq-fe.h>

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace sheaf::test {

namespace {

/// Sequences, because every session sees their current value at once.
constexpr auto functions = R"(
  create sequence arrivals;
  create function meet(n bigint) returns int language plpgsql as $$
  declare
    target bigint := ((nextval('arrivals') - 1) / n + 1) * n;
  begin
    while (select last_value < target from arrivals) loop perform pg_sleep(0.001); end loop;
    return pg_backend_pid();
  end $$;
  create sequence turns;
  select setval('turns', 1);
  create function in_turn(before bigint) returns int language plpgsql as $$
  begin
    while (select last_value <= before from turns) loop perform pg_sleep(0.001); end loop;
    perform nextval('turns');
    return pg_backend_pid();
  end $$;
)";

std::string unique_name() {
  static std::atomic<int> last = 0;
  return fmt::format("sheaf_test_{}_{}", ::getpid(), ++last);
}

} // namespace

std::string environment(const char* name) {
  if (const char* value = std::getenv(name))
    return value;
  throw std::runtime_error(
      fmt::format("{} is not set: run tests/run, or the test under tests/support/with_postgres", name));
}

observer::observer(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str()), PQfinish) {
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
}

std::string observer::operator()(const std::string& sql) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> result{PQexec(connection_.get(), sql.c_str()), PQclear};
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  return PQntuples(result.get()) > 0 && PQnfields(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

postgresql_schema::postgresql_schema() : name_(unique_name()) {
  server(fmt::format("create schema {0}; set search_path = {0}; {1}", name_, functions));
}

postgresql_schema::~postgresql_schema() {
  try {
    server(fmt::format("drop schema {} cascade", name_));
  } catch (const std::exception&) { // the test has stopped the server, or will: the data go with it
  }
}

void postgresql_schema::reconnect() {
  server = observer{};
  server("set search_path = " + name_);
}

std::string postgresql_schema::url(std::string_view more) const {
  return fmt::format("{0} application_name={1} options='-c search_path={1}' {2}", environment("SHEAF_TEST_POSTGRES"),
                     name_, more);
}

int postgresql_schema::backends() {
  return server.number(fmt::format("select count(*) from pg_stat_activity where application_name = '{}'", name_));
}

int postgresql_schema::running() {
  return server.number(
      fmt::format("select count(*) from pg_stat_activity where application_name = '{}' and state <> 'idle' and query "
                  "!~ '^(SET extra_float_digits = 3|select pg_backend_pid\\(\\)|select name, set_config.*)$'",
                  name_));
}

} // namespace sheaf::test
