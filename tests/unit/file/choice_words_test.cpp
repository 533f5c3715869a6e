// SPDX-License-Identifier: BSD-3-Clause
//
// Each word of each choice in a sheaf file means something of its own.

#include "app/check/file_check.hpp"
#include "app/file/file_keys.hpp"
#include "app/file/file_reader.hpp"
#include "app/file/parameter_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::app;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A file with room for the key, and what a word has come to in it.
struct example {
  std::string before, after;
  std::function<std::string(const sheaf_file&)> meaning;
};

template <class T>
std::string number_of(T x) {
  return std::to_string(static_cast<int>(x));
}

example in_database(std::string url, std::function<std::string(const database_options&)> meaning) {
  return {"databases: {main: {url: '" + url + "', ", "}}\nrequests: {r: {queries: {q: select 1}}}",
          [=](const sheaf_file& x) { return meaning(x.databases.front()); }};
}

example in_request(std::function<std::string(const request&)> meaning) {
  return {"databases: {main: {url: 'sqlite::memory:'}}\nrequests: {r: {queries: {q: select 1}, ", "}}",
          [=](const sheaf_file& x) { return meaning(x.requests.front().settings); }};
}

std::string meaning_of_type(const sheaf_file& x) {
  std::string_view type = x.requests.front().parameters.front().type;
  const bool is_list = type.ends_with("[]");
  if (is_list)
    type.remove_suffix(2);
  const std::string described{described_type(type)};
  return described.empty() ? "" : (is_list ? "several: " : "one: ") + described;
}

std::string meaning_of_modes(const sheaf_file& x) {
  std::string all;
  for (const auto mode : std::get<compare_step>(x.scenarios.front().steps.front().kind).modes)
    all += number_of(mode) + ' ';
  return all;
}

const std::map<std::pair<section, std::string_view>, example> examples{
    {{section::database, "pooler"},
     in_database("postgresql://h/d", [](const database_options& x) { return number_of(x.pooler); })},
    {{section::database, "reset"},
     in_database("postgresql://h/d", [](const database_options& x) { return number_of(x.reset); })},
    {{section::database, "journal_mode"},
     in_database("sqlite:a.db", [](const database_options& x) { return number_of(x.journal_mode); })},
    {{section::database, "pack"},
     in_database("sqlite:a.db", [](const database_options& x) { return number_of(x.pack); })},
    {{section::request, "pack"}, in_request([](const request& x) { return number_of(x.pack); })},
    {{section::query, "pack"},
     {"databases: {main: {url: 'sqlite::memory:'}}\nrequests: {r: {queries: {q: {sql: select 1, ", "}}}}",
      [](const sheaf_file& x) { return number_of(x.requests.front().queries.front().query.pack); }}},
    {{section::request, "on_error"}, in_request([](const request& x) { return number_of(x.on_error); })},
    {{section::request, "priority"}, in_request([](const request& x) { return number_of(x.priority); })},
    {{section::request, "method"},
     {"databases: {main: {url: 'sqlite::memory:'}}\nrequests: {r: {queries: {q: select 1}, ", "}}",
      [](const sheaf_file& x) {
        const auto& method = x.requests.front().method;
        return method ? number_of(*method) : "by its words";
      }}},
    {{section::parameter, "type"},
     {"databases: {main: {url: 'sqlite::memory:'}}\nrequests: {r: {queries: {q: 'select :p'}, parameters: {p: {",
      "}}}}", meaning_of_type}},
    {{section::compare, "modes"},
     {"databases: {main: {url: 'sqlite::memory:'}}\nrequests: {r: {queries: {q: select 1}}}\n"
      "scenarios: {s: {steps: [{compare: {request: r, ",
      "}}]}}", meaning_of_modes}},
};

struct read_meaning {
  std::vector<std::string> findings;
  std::string meaning;
};

read_meaning read_with(const example& in, const std::string& key_and_value) {
  const auto x = read_sheaf_text(in.before + key_and_value + in.after, "file.yaml", {});
  auto findings = x.findings;
  if (has_errors(findings))
    return {{findings.front().message}, ""};
  const auto more = check_file(x.file, {});
  findings.insert(findings.end(), more.begin(), more.end());
  read_meaning got{{}, in.meaning(x.file)};
  for (const auto& f : findings)
    got.findings.push_back(f.message);
  return got;
}

/// The key with this word.
std::string with_word(const file_key& key, const std::string& word) {
  const bool is_list = key.type == key_type::choice_list;
  return fmt::format("{}: {}'{}'{}", key.name, is_list ? "[" : "", word, is_list ? "]" : "");
}

std::vector<std::string> words_of(const file_key& key) {
  std::istringstream in{std::string{key.choices}};
  std::vector<std::string> all;
  for (std::string word; in >> word;)
    all.push_back(word);
  return all;
}

/// Calls `f(key, example)` for each key whose value is chosen.
void for_each_choice(const std::function<void(const file_key&, const example&)>& f) {
  for (const auto x : all_sections())
    for (const auto& key : keys_of(x)) {
      if (key.type != key_type::choice && key.type != key_type::choice_list)
        continue;
      SCOPED_TRACE(fmt::format("{} of {}", key.name, to_string(x)));
      const auto found = examples.find({x, key.name});
      ASSERT_NE(found, examples.end()) << "this test needs an example of the key";
      f(key, found->second);
    }
}

TEST(ChoiceWords, EachHaveAMeaningOfTheirOwn) {
  for_each_choice([](const file_key& key, const example& in) {
    std::set<std::string> meanings;
    for (const auto& word : words_of(key)) {
      const auto got = read_with(in, with_word(key, word));
      EXPECT_THAT(got.findings, IsEmpty()) << word;
      EXPECT_NE(got.meaning, "") << word;
      EXPECT_TRUE(meanings.insert(got.meaning).second) << word << " means the same as another one";
    }
    EXPECT_GE(meanings.size(), 2u);
  });
}

TEST(ChoiceWords, AreAllThatThereAre) {
  for_each_choice([](const file_key& key, const example& in) {
    const auto words = words_of(key);
    for (const auto& word : words)
      for (const auto& other : {word + "x", word.substr(0, word.size() - 1), "x" + word, word + " ", std::string{}}) {
        if (std::find(words.begin(), words.end(), other) != words.end())
          continue;
        EXPECT_THAT(read_with(in, with_word(key, other)).findings,
                    ElementsAre(HasSubstr(
                        fmt::format("{} is one of {}, and this is \"{}\"", key.name, fmt::join(words, ", "), other))));
      }
  });
}

TEST(ChoiceWords, MeanTheDefaultWhereItIsGiven) {
  for_each_choice([](const file_key& key, const example& in) {
    if (key.default_value.empty()) // not to give it has a meaning of its own
      return;
    const auto given = read_with(in, fmt::format("{}: {}", key.name, key.default_value));
    EXPECT_THAT(given.findings, IsEmpty());
    EXPECT_EQ(given.meaning, read_with(in, "").meaning);
  });
}

} // namespace
