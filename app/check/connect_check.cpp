// SPDX-License-Identifier: BSD-3-Clause

#include "app/check/connect_check.hpp"

#include "app/check/query_sql.hpp"
#include "app/check/sql_words.hpp"

#include "sheaf/backends.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace sheaf::app {

namespace {

constexpr std::size_t sessions_max = 8; ///< Sessions of one database: a check is no load.

/// The failure of preparing a statement, or nothing.
using refusal = std::optional<failure>;

struct prepared_query {
  const query_spec* of;
  std::shared_ptr<const parsed_statement> text;
};

/// A database as it is asked.
database_options to_be_asked(database_options d, const backend& kind) {
  d.pool.max_size = std::min(d.pool.max_size, sessions_max);
  d.pool.min_size = 0;
  d.pool.acquire_timeout = connect_check_deadline;
  d.url = kind.for_preparing(std::move(d.url));
  return d;
}

std::vector<prepared_query> queries_of(const database_options& d, const sheaf_file& file) {
  std::vector<prepared_query> all;
  for (const auto& r : file.requests) {
    auto declared = parameters_of(r);
    for (const auto& q : r.queries)
      if (file.database_of(q.query) == &d)
        if (auto text = parsed_for(dialect_of(d), declared, q); !text->empty)
          all.push_back({&q, std::move(text)});
  }
  return all;
}

request preparation_of(const database_options& d, const backend& kind, const std::vector<prepared_query>& all) {
  request made;
  made.deadline = connect_check_deadline;
  for (const auto& x : all) {
    auto& q = made.queries.emplace_back(
        query::of_task(fmt::format("s{}", made.queries.size() + 1),
                       [&kind, text = x.text](soci::session& s) -> refusal { return kind.prepare(s, text->text); }));
    q.database = d.name;
    q.read_only = true; // a statement that is only prepared writes nothing
  }
  return made;
}

/// The names that the scenarios' setups make in a database.
std::set<std::string> made_in(const database_options& d, const sheaf_file& file) {
  std::set<std::string> names;
  for (const auto& s : file.scenarios)
    for (const auto& x : s.setup)
      if (x.database == d.name || (x.database.empty() && &d == &file.databases.front()))
        names.insert(made_by(x.sql));
  names.erase("");
  return names;
}

finding finding_of(const prepared_query& x, const failure& why, const std::set<std::string>& made) {
  auto told = finding_in_sql(*x.of, finding::severity::error, why.message, x.text->position_in_source(why.position));
  const auto words = words_of_sql(x.of->query.statement.sql());
  const auto named = std::find_if(words.begin(), words.end(), [&](const auto& word) { return made.contains(word); });
  if (named != words.end()) {
    told.how = finding::severity::warning;
    told.message += fmt::format("; not there yet: the setup of a scenario makes {}", *named);
  }
  return told;
}

} // namespace

std::vector<finding> check_connected(const sheaf_file& file, const signal_watch& signals) {
  options how;
  std::vector<std::vector<prepared_query>> asked;
  std::vector<request> sent;
  std::vector<std::size_t> of;
  for (std::size_t i = 0; i < file.databases.size(); ++i) {
    const auto& d = file.databases[i];
    const auto kind = backend_for(d);
    if (!kind || (*kind)->check(d.url)) // that is a finding already, and an engine takes no such URL
      continue;
    how.databases.push_back(to_be_asked(d, **kind));
    if (auto all = queries_of(d, file); !all.empty()) {
      sent.push_back(preparation_of(d, **kind, all));
      asked.push_back(std::move(all));
      of.push_back(i);
    }
  }
  if (sent.empty())
    return {};
  const auto engine = make_engine(std::move(how));
  const auto replies = run_all(*engine, std::move(sent), signals);
  std::vector<finding> found;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const auto& d = file.databases[of[i]];
    if (const auto& why = replies[i].failure) {
      found.push_back({finding::severity::error, file.databases_at[of[i]],
                       fmt::format("database \"{}\": {}: {}", d.name, to_string(why->code), why->message)});
      continue;
    }
    const auto made = made_in(d, file);
    for (std::size_t j = 0; j < asked[i].size(); ++j)
      if (const auto& why = replies[i].outcomes[j].value<refusal>())
        found.push_back(finding_of(asked[i][j], *why, made));
  }
  return found;
}

} // namespace sheaf::app
