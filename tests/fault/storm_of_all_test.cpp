// SPDX-License-Identifier: BSD-3-Clause
//
// A storm of everything at once: hundreds of callers of all kinds of queries on two loops, while the server and the
// network suffer each fault that there is, one after another. Each request is answered once; each write is there as
// often as its answer says.

#include "fault/fault_test.hpp"
#include "support/effort.hpp"

#include <soci/soci.h>

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <mutex>
#include <random>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

constexpr auto fixtures = R"(
  create table written(n bigint);
  create table victim(id int, body text);
  insert into victim select i, 'body ' || i from generate_series(1, 2000) i;
  create function put(n bigint) returns bigint language sql as 'insert into written values (n) returning n';
  create procedure put_and_fail(n bigint, sqlstate_then text) language plpgsql as $$
  begin
    insert into written values (n);
    commit;
    if sqlstate_then <> '' then raise exception 'as it was told' using errcode = sqlstate_then; end if;
  end $$;
  create function trouble(sqlstate_then text) returns int language plpgsql as $$
  begin raise exception 'as it was told' using errcode = sqlstate_then; end $$;
)";

/// A fault, and how it ends, if it does not by itself.
struct misfortune {
  const char* name;
  std::function<void()> strike, heal = [] {};
};

class FaultStormOfAll : public FaultBehindGate {
protected:
#ifdef __SANITIZE_ADDRESS__
  static constexpr int callers = 64; // who ask again at once while the server is away; each costs ten times as much
#else
  static constexpr int callers = 512;
#endif

  /// An answer that comes this long after its deadline is late, even on a machine that is busy.
  static constexpr auto grace = 10s;

  void SetUp() override {
    schema.server(fixtures);
    FaultBehindGate::SetUp();
    open([&](options& how) {
      how.loops = 2;
      how.databases[0].pool.max_size = 8;
      how.databases[0].pool.acquire_timeout = 2s;
      how.databases[0].url = url_of_gate( // acknowledged writes outlast a crash
          fmt::format("connect_timeout=2 options='-c search_path={} -c synchronous_commit=on'", schema.name()));
    });
    flush();
  }

  /// The server is as it was, also when the test was left early, amid a fault.
  void TearDown() override {
    over = true;
    if (gate)
      gate->heal();
    control.resume();
    if (frozen != 0)
      ::kill(frozen, SIGCONT);
    taken.clear();
    schema.reconnect();
    schema.server("alter role current_user reset all");
    FaultBehindGate::TearDown();
  }

  int dice(int sides) {
    std::lock_guard guard{mutex};
    return static_cast<int>(random() % static_cast<unsigned>(sides));
  }

  // -- the callers

  static query read_only(query q) {
    q.read_only = true;
    return q;
  }

  /// Writes a number of its own, in one of the ways there are; the query's name is the number.
  query write() {
    const std::int64_t n = ++last_written;
    const auto name = std::to_string(n);
    switch (dice(5)) {
    case 0:
      return {name, "select put(:n)", {{"n", n}}};
    case 1:
      return {name, "call put_and_fail(:n, :s)", {{"n", n}, {"s", dice(2) == 0 ? "40001" : ""}}};
    case 2:
      return query::of_task(name, [n](soci::session& s) {
        soci::transaction all{s};
        s << "insert into written values (:n)", soci::use(n);
        all.commit();
      });
    case 3:
      return {
          name, "with n as (insert into written values (:n) returning n) select n, pg_sleep(0.01) from n", {{"n", n}}};
    default:
      return {name, "insert into written values (:n)", {{"n", n}}};
    }
  }

  query read() {
    switch (dice(6)) {
    case 0:
      return read_only({"", "select id, body from victim where id < :n", {{"n", dice(2000)}}});
    case 1: {
      auto q = read_only({"", "select id, body from victim"});
      q.on_rows = [](table&&, auto next) { next(); };
      return q;
    }
    case 2: {
      query q{"", "select pg_sleep(:s)", {{"s", dice(300) / 1000.0}}};
      q.timeout = 100ms;
      return q;
    }
    case 3: {
      static constexpr const char* troubles[] = {"40001", "40P01", "53100", "57014",
                                                 "55P03", "P0001", "26000", "0A000"};
      return {"", "select trouble(:s)", {{"s", troubles[dice(8)]}}};
    }
    case 4:
      return read_only({"", "select count(*) from victim, generate_series(1, 20)"});
    default:
      return {"", "select :a, :b", {{"a", dice(100)}, {"b", "text"}}};
    }
  }

  request next_request() {
    request made;
    for (int i = dice(3); i >= 0; --i)
      made.queries.push_back(dice(3) == 0 ? write() : read());
    constexpr error_policy policies[] = {error_policy::fail, error_policy::partial, error_policy::first};
    made.on_error = policies[dice(3)];
    made.deadline = std::chrono::milliseconds{500 + dice(3000)};
    return made;
  }

  /// Sends the next request of one caller, and so on with each answer until the time is over.
  void call() {
    auto next = next_request();
    const auto due = clock::now() + *next.deadline;
    ++asked;
    e->run_async(std::move(next), [this, due, answers = std::make_shared<std::atomic<int>>(0)](reply x) {
      EXPECT_EQ(++*answers, 1) << "it is answered twice";
      const auto late = clock::now() - due;
      EXPECT_LT(late, grace) << (x.ok() ? "" : to_string(*x.failure));
      note(x, late);
      ++answered;
      if (!over)
        call();
      else
        --calling;
    });
  }

  void note(const reply& x, clock::duration late) {
    std::lock_guard guard{mutex};
    latest = std::max(latest, late);
    for (const auto& o : x.outcomes) {
      const auto* f = o.error_info();
      ++outcomes[f ? f->code : errc{}];
      if (o.name.starts_with('q')) // the engine's name for one that has none: no write
        continue;
      if (!f)
        acknowledged.push_back(o.name);
      else if (!f->reached_server)
        not_begun.push_back(o.name);
    }
  }

  // -- the faults

  std::string one_of_ours() {
    return schema.server("select pid from pg_stat_activity where application_name = '" + schema.name() +
                         "' order by random() limit 1");
  }

  void to_one(const char* function) {
    schema.server(fmt::format("select {}(pid) from pg_stat_activity where application_name = '{}' "
                              "order by random() limit 1",
                              function, schema.name()));
  }

  /// Of the role that all sessions have, which new ones find.
  void set_for_new_sessions(const std::string& setting) {
    schema.server("alter role current_user set " + setting);
    to_all("pg_terminate_backend");
  }

  void to_all(const char* function) {
    schema.server(
        fmt::format("select {}(pid) from pg_stat_activity where application_name = '{}'", function, schema.name()));
  }

  void locked(const std::string& sql) {
    schema.server(sql);
    linger();
    schema.server("commit");
  }

  /// The time that a fault lasts is left to chance.
  void linger() { std::this_thread::sleep_for(std::chrono::milliseconds{50 + dice(250)}); }

  std::vector<misfortune> misfortunes() {
    std::vector<misfortune> all{
        {"a backend is ended", [this] { to_one("pg_terminate_backend"); }},
        {"all backends are ended", [this] { to_all("pg_terminate_backend"); }},
        {"a statement is cancelled by somebody", [this] { to_one("pg_cancel_backend"); }},
        {"all statements are cancelled", [this] { to_all("pg_cancel_backend"); }},
        {"a backend crashes, and the server begins anew",
         [this] {
           if (const auto pid = one_of_ours(); !pid.empty() && ::kill(std::stoi(pid), SIGKILL) == 0)
             reconnect();
         }},
        {"a backend freezes",
         [this] {
           const auto pid = one_of_ours();
           frozen = pid.empty() ? 0 : std::stoi(pid);
           if (frozen != 0)
             ::kill(frozen, SIGSTOP);
         },
         [this] {
           if (frozen != 0)
             ::kill(frozen, SIGCONT);
         }},
        {"the server takes no connection", [this] { control.pause(); }, [this] { control.resume(); }},
        {"the server stops and starts",
         [this] {
           control.stop();
           linger();
           control.start();
           schema.reconnect();
         }},
        {"tables are locked", [this] { locked("begin; lock written, victim in access exclusive mode"); }},
        {"a column has another type", [this] { schema.server("alter table victim alter id type bigint"); },
         [this] { schema.server("alter table victim alter id type int"); }},
        {"a table has another column", [this] { schema.server("alter table victim add more int"); },
         [this] { schema.server("alter table victim drop more"); }},
        {"a table is gone", [this] { schema.server("alter table victim rename to gone"); },
         [this] { schema.server("alter table gone rename to victim"); }},
        {"a function is made anew",
         [this] {
           schema.server("drop function put; create function put(n bigint) returns bigint language sql as "
                         "'insert into written values (n) returning n'");
         }},
        {"a table is rewritten", [this] { schema.server("vacuum full victim"); }},
        {"new sessions only read", [this] { set_for_new_sessions("default_transaction_read_only = on"); },
         [this] { set_for_new_sessions("default_transaction_read_only = off"); }},
        {"new sessions cut each statement short", [this] { set_for_new_sessions("statement_timeout = 3"); },
         [this] { set_for_new_sessions("statement_timeout = 0"); }},
        {"new sessions write dates in another way", [this] { set_for_new_sessions("datestyle = 'German'"); },
         [this] { set_for_new_sessions("datestyle = 'ISO'"); }},
        {"all connections are taken", [this] { take_all_connections(); }, [this] { taken.clear(); }},
    };
    constexpr std::pair<const char*, fault> of_the_network[] = {
        {"connections are refused", fault::refuse},   {"connections are not taken", fault::ignore},
        {"the network is silent", fault::black_hole}, {"the network is slow", fault::delay},
        {"bytes come one by one", fault::trickle},    {"connections are closed", fault::cut},
        {"connections are reset", fault::reset},      {"another protocol is spoken", fault::garbage},
        {"a message has no end", fault::promise},
    };
    for (const auto& x : of_the_network)
      all.push_back({x.first, [this, kind = x.second] { gate->strike(kind, static_cast<std::size_t>(dice(20'000))); },
                     [this] { gate->heal(); }});
    return all;
  }

  void take_all_connections() {
    try {
      for (int i = 0; i < 200; ++i)
        taken.push_back(std::make_unique<observer>());
    } catch (const std::runtime_error&) { // that was the last one
    }
  }

  std::vector<std::string> numbers(const std::string& sql) {
    std::vector<std::string> found;
    std::istringstream lines{schema.server(fmt::format("select string_agg(n::text, ' ') from ({}) x", sql))};
    for (std::string n; lines >> n;)
      found.push_back(n);
    std::sort(found.begin(), found.end());
    return found;
  }

  static std::vector<std::string> sorted(std::vector<std::string> x) {
    std::sort(x.begin(), x.end());
    return x;
  }

  server_control control;
  std::vector<std::unique_ptr<observer>> taken;
  int frozen = 0;

  std::atomic<bool> over = false;
  std::atomic<int> calling = callers;
  std::atomic<std::int64_t> last_written = 0;
  std::atomic<std::uint64_t> asked = 0, answered = 0;

  std::mutex mutex; ///< For the rest.
  std::mt19937 random{7};
  clock::duration latest{};
  std::map<errc, std::uint64_t> outcomes;
  std::vector<std::string> acknowledged, not_begun; ///< Numbers of writes.
};

TEST_F(FaultStormOfAll, IsWeathered) {
  auto all = misfortunes();
  for (int i = 0; i < callers; ++i)
    call();
  const auto end = clock::now() + short_or_long(0s, 60s);
  do {
    {
      std::lock_guard guard{mutex};
      std::shuffle(all.begin(), all.end(), random);
    }
    for (const auto& x : all) {
      SCOPED_TRACE(x.name);
      x.strike();
      linger();
      x.heal();
      linger();
    }
  } while (clock::now() < end);
  over = true;
  ASSERT_TRUE(eventually([&] { return calling == 0; }));

  EXPECT_EQ(answered, asked);
  EXPECT_EQ(outcomes[errc::internal], 0u);
  EXPECT_GT(outcomes[errc{}], all.size()) << "more than one between two of them, on whatever machine";
  EXPECT_GT(outcomes[errc::in_doubt], 0u);
  EXPECT_GT(outcomes[errc::connection_lost], 0u);
  RecordProperty("requests", static_cast<int>(asked));
  RecordProperty("latest_answer_after_its_deadline_ms",
                 static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(latest).count()));

  const auto there = numbers("select distinct n from written");
  std::vector<std::string> wrong;
  const auto acknowledged_ones = sorted(acknowledged), not_begun_ones = sorted(not_begun);
  std::set_difference(acknowledged_ones.begin(), acknowledged_ones.end(), there.begin(), there.end(),
                      std::back_inserter(wrong));
  EXPECT_EQ(wrong, std::vector<std::string>{}) << "they were acknowledged, and are not there";
  wrong.clear();
  std::set_intersection(not_begun_ones.begin(), not_begun_ones.end(), there.begin(), there.end(),
                        std::back_inserter(wrong));
  EXPECT_EQ(wrong, std::vector<std::string>{}) << "they had not begun, and are there";
  EXPECT_EQ(numbers("select n from written group by n having count(*) > 1"), std::vector<std::string>{});
  expect_recovery();
}

} // namespace
