// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/file_keys.hpp"

#include <array>

namespace sheaf::app {

namespace {

using enum key_type;

constexpr std::array file_keys{
    file_key{"databases", named_maps, "", "The databases by name; queries that name none go to the first.",
             section::database},
    file_key{"requests", named_maps, "", "The requests by name.", section::request},
    file_key{"scenarios", named_maps, "", "The scenarios by name.", section::scenario},
};

constexpr std::array database_keys{
    file_key{"url", text, "", "`postgresql://…`, a libpq keyword string, or `sqlite:path`; may hold `${NAME}`."},
    file_key{"pool", sub_map, "", "Bounds of its sessions.", section::pool},
    file_key{"statement_cache_size", number, "256", "Prepared statements kept per session; 0 prepares none."},
    file_key{"pooler",
             choice,
             "auto",
             "Pooler between sheaf and a PostgreSQL server, by its mode.",
             {},
             "auto none session transaction statement"},
    file_key{
        "reset",
        choice,
        "when_needed",
        "What a query leaves in its PostgreSQL session is undone: where its words may leave something, or after each.",
        {},
        "when_needed always never"},
    file_key{"journal_mode",
             choice,
             "wal",
             "Journal of an SQLite file that is to be written: WAL from then on, or the one it has.",
             {},
             "wal keep"},
    file_key{"pack", choice, "auto", "Whether short reads of a request may share its sessions.", {}, "auto never"},
    file_key{"cancel_wait_timeout", duration, "5s", "Longest wait for a cancelled statement to confirm."},
};

constexpr std::array pool_keys{
    file_key{"max_size", number, "10", "Maximum number of sessions."},
    file_key{"min_size", number, "0", "Sessions that are opened immediately and kept."},
    file_key{"max_queue_size", number, "10000", "Maximum number of queries that wait for a session."},
    file_key{"acquire_timeout", duration, "30s", "Longest wait for a session."},
    file_key{"connecting_limit", number, "4", "Maximum number of sessions being opened at once."},
    file_key{"max_lifetime", duration, "30m", "A session is retired after this, give or take a tenth."},
    file_key{"idle_timeout", duration, "10m", "An idle session above `min_size` ends after this."},
    file_key{"keepalive_interval", duration, "2m", "Idle sessions are checked this often."},
    file_key{"leak_detection_threshold", duration, "", "A query that keeps its session longer than this is reported."},
};

constexpr std::array request_keys{
    file_key{"parameters", named_maps, "", "The parameters by name.", section::parameter},
    file_key{"queries", named_maps, "", "The queries by name: each its SQL, or a map.", section::query},
    file_key{"about", text, "", "A sentence for those who ask: in the service's interface, `/openapi.json`."},
    file_key{"deadline", duration, "30s", "Time for the whole request, from when the engine takes it."},
    file_key{
        "width", number, "",
        "Maximum number of queries running at once; when not set, of each database as many as its pool has sessions."},
    file_key{"on_error", choice, "fail", "Effect of a failing query on the request.", {}, "fail partial first"},
    file_key{"first", number, "1", "Number of queries that have to succeed under `on_error: first`."},
    file_key{
        "priority", choice, "normal", "Share of the sessions when they are scarce: 16 : 4 : 1.", {}, "high normal low"},
    file_key{"pack", choice, "auto", "Whether its short reads may share a session.", {}, "auto never"},
    file_key{"method",
             choice,
             "",
             "HTTP methods: GET and POST, or POST only; when not set, POST only if a query may change something.",
             {},
             "get post"},
    file_key{"max_rows", number, "", "Maximum number of rows of all results together."},
    file_key{"max_bytes", size, "", "Maximum number of bytes of all results together."},
};

constexpr std::array parameter_keys{
    file_key{"type",
             choice,
             "text",
             "The type of its value.",
             {},
             "text int double bool bytes text[] int[] double[] bool[] bytes[]"},
    file_key{"default", any, "", "Its value when none is given; without it, one has to be."},
    file_key{"about", text, "", "A sentence for those who give it: in the service's interface, `/openapi.json`."},
};

constexpr std::array query_keys{
    file_key{"sql", sql, "", "One statement; `:name` is a parameter of the request."},
    file_key{"sql_file", path, "", "A file that holds the statement, instead of `sql`."},
    file_key{"database", text, "", "Name of the database; the first one when not set."},
    file_key{"timeout", duration, "", "Time for this query, within the request's deadline."},
    file_key{"required", boolean, "true", "True when its failure fails the request under `on_error: partial`."},
    file_key{"read_only", boolean, "false", "It changes nothing and may be run again when its session is lost."},
    file_key{
        "pack", choice, "auto", "Whether it may share a session, if it is `read_only` and short.", {}, "auto never"},
    file_key{"max_rows", number, "100000", "Maximum number of rows of its result."},
    file_key{"max_bytes", size, "64MiB", "Maximum number of bytes of its result."},
    file_key{"stream", boolean, "false", "Over HTTP its rows are sent while it still runs, however many they are."},
    file_key{"for_each", texts, "", "`{id: \"{ids}\"}`: one query for each element of the list `ids`, bound to `:id`."},
};

constexpr std::array scenario_keys{
    file_key{"setup", maps, "", "Actions before the steps, in order.", section::setup},
    file_key{"steps", maps, "", "Requests to run and their expectations, in order.", section::step},
    file_key{"load", sub_map, "", "Settings for `sheaf bench`, which runs the steps again and again.", section::load},
    file_key{"thresholds", texts, "", "Conditions that must hold under load: `request.p99: \"< 50ms\"`."},
    file_key{"teardown", maps, "", "Actions at the end, also after a failure.", section::setup},
};

constexpr std::array setup_keys{
    file_key{"sql", sql, "", "One statement."},
    file_key{"sql_file", path, "", "A file that holds one statement."},
    file_key{"csv", path, "", "A file whose first line names columns; its rows go `into` a table."},
    file_key{"into", text, "", "The table that `csv` goes into."},
    file_key{"database", text, "", "Name of the database; the first one when not set."},
};

constexpr std::array step_keys{
    file_key{"request", text, "", "Runs this request."},
    file_key{"with", values, "", "Its parameters' values; text may hold `${…}`."},
    file_key{"expect", texts, "", "Conditions that must hold: `total.scalar: \"> 0\"`."},
    file_key{"capture", texts, "", "Names for values of the reply: `n: total.scalar`, then `${n}`."},
    file_key{"parallel", maps, "", "Steps that are run at once.", section::step},
    file_key{"repeat", sub_map, "", "Steps that are run several times.", section::repeat},
    file_key{"compare", sub_map, "", "A request that is timed in several ways.", section::compare},
};

constexpr std::array repeat_keys{
    file_key{"times", number, "", "Number of runs, 1 to 1000000."},
    file_key{"of", maps, "", "The steps.", section::step},
};

constexpr std::array compare_keys{
    file_key{"request", text, "", "The request."},
    file_key{"with", values, "", "Its parameters' values; text may hold `${…}`."},
    file_key{"modes",
             choice_list,
             "[shared_session, own_sessions]",
             "Ways to run its queries: one after another as on one session, or a session each.",
             {},
             "shared_session own_sessions"},
    file_key{"times", number, "5", "Timed runs of each mode, in turn, after one to warm up; the median counts."},
    file_key{"expect", texts, "", "Conditions on the times: `own_sessions: \"<= 0.6 * shared_session\"`."},
};

constexpr std::array load_keys{
    file_key{"clients", number, "1", "Number of concurrent clients; 100 when a `rate` is set, 1 otherwise."},
    file_key{"rate", rate, "",
             "Rate at which the steps begin, answered or not; latency then counts from when they were due."},
    file_key{"duration", duration, "10s", "Length of the measurement."},
    file_key{"warm_up", duration, "", "Time before the measurement that is not counted."},
};

constexpr std::array sections{section::file,      section::database, section::pool,     section::request,
                              section::parameter, section::query,    section::scenario, section::load,
                              section::setup,     section::step,     section::repeat,   section::compare};

} // namespace

std::span<const section> all_sections() noexcept { return sections; }

std::string_view type_text(const file_key& key) noexcept {
  switch (key.type) {
  case text:
    return "text";
  case path:
    return "path";
  case sql:
    return "sql";
  case number:
    return "number";
  case boolean:
    return "boolean";
  case duration:
    return "duration";
  case rate:
    return "rate";
  case size:
    return "size";
  case choice:
    return key.choices;
  case choice_list:
    return "list";
  case any:
    return "any";
  case texts:
    return "map of text";
  case values:
    return "map of values";
  case sub_map:
    return "map";
  case named_maps:
    return "map by name";
  case maps:
    break;
  }
  return "list of maps";
}

std::span<const file_key> keys_of(section x) noexcept {
  switch (x) {
  case section::file:
    return file_keys;
  case section::database:
    return database_keys;
  case section::pool:
    return pool_keys;
  case section::request:
    return request_keys;
  case section::parameter:
    return parameter_keys;
  case section::query:
    return query_keys;
  case section::scenario:
    return scenario_keys;
  case section::setup:
    return setup_keys;
  case section::step:
    return step_keys;
  case section::repeat:
    return repeat_keys;
  case section::compare:
    return compare_keys;
  case section::load:
    break;
  }
  return load_keys;
}

std::string_view to_string(section x) noexcept {
  switch (x) {
  case section::file:
    return "a sheaf file";
  case section::database:
    return "a database";
  case section::pool:
    return "a pool";
  case section::request:
    return "a request";
  case section::parameter:
    return "a parameter";
  case section::query:
    return "a query";
  case section::scenario:
    return "a scenario";
  case section::setup:
    return "a step of setup or teardown";
  case section::step:
    return "a step";
  case section::repeat:
    return "repeat";
  case section::compare:
    return "compare";
  case section::load:
    break;
  }
  return "load";
}

} // namespace sheaf::app
