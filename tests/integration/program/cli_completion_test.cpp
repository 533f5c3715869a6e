// SPDX-License-Identifier: BSD-3-Clause
//
// Completion as the shells do it, and `sheaf help`.

#include "app/commands/help_text.hpp"
#include "app/expression/expression_function.hpp"
#include "app/file/file_keys.hpp"
#include "app/scenario/reply_scope.hpp"
#include "integration/program/sheaf_file_command.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <regex>
#include <set>
#include <sys/stat.h>

namespace {

using namespace cli;
using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

/// The commands as the program tells them.
words commands() {
  const auto said = run_sheaf({}).err;
  const auto begin = said.find("the commands are ") + 17;
  words all;
  std::istringstream names{said.substr(begin, said.find(" (", begin) - begin)};
  for (std::string name; names >> name;)
    all.push_back(name.substr(0, name.find(',')));
  return all;
}

/// The words that a shell offers for the last one.
class Completion : public SheafFileCommand, public testing::WithParamInterface<std::string> {
protected:
  std::set<std::string> offered(const words& line) {
    std::string quoted;
    for (const auto& word : line)
      quoted += " '" + word + "'";
    const auto script =
        GetParam() == "bash"
            ? fmt::format(
                  "shopt -u extglob; source <(sheaf completion bash) && COMP_WORDS=({}) COMP_CWORD={} && _sheaf "
                  "&& "
                  "printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                  quoted, line.size() - 1)
            : fmt::format("compadd() {{ print -l -- ${{(M)${{(P)@[-1]}}:#$PREFIX*}} }}; _files() {{ print -l -- "
                          "$PREFIX${{~2}}(N) }}\n"
                          "compset() {{ PREFIX=${{PREFIX#*=}} }}; compdef() {{ }}\n"
                          "source <(sheaf completion zsh) && words=({}) CURRENT={} PREFIX=$words[-1] && _sheaf",
                          quoted, line.size());
    const auto done =
        GetParam() == "bash" ? run({"bash", "-c", script}, there()) : run({"zsh", "-f", "-c", script}, there());
    EXPECT_EQ(done.err, "") << script;
    const auto lines = lines_of(done.out);
    std::set<std::string> all{lines.begin(), lines.end()};
    all.erase("");
    return all;
  }

  setting there() {
    if (!std::filesystem::exists(at("bin"))) {
      std::filesystem::create_directory(at("bin"));
      std::filesystem::create_symlink(program(), at("bin/sheaf"));
    }
    return {.environment = {{"PATH", at("bin").string() + ":" + std::getenv("PATH")}}, .directory = folder.path()};
  }
};

INSTANTIATE_TEST_SUITE_P(Shells, Completion, testing::Values("bash", "zsh"), [](const auto& x) { return x.param; });

TEST_P(Completion, KnowsEachCommandAndEachOption) {
  EXPECT_THAT(commands(), IsSupersetOf({"query", "run", "check", "completion", "help"}));
  EXPECT_THAT(offered({"sheaf", ""}), IsSupersetOf(commands()));
  EXPECT_THAT(offered({"sheaf", "ru"}), ElementsAre("run"));
  const std::regex option{"-[a-zA-Z]\\b|--[a-z-]+"};
  for (const auto& command : commands()) {
    const auto all = offered({"sheaf", command, "-"});
    EXPECT_THAT(all, AllOf(IsSupersetOf({"-h", "--help"}), Not(Contains("--list"))));
    for (auto line : lines_of(run_sheaf({command, "--help"}).out)) {
      if (!line.starts_with("  -"))
        continue;
      line = line.substr(0, line.find(' ', line.find('-')));
      for (std::sregex_iterator i{line.begin(), line.end(), option}, end; i != end; ++i)
        EXPECT_THAT(all, Contains(i->str())) << command;
    }
  }
}

TEST_P(Completion, KnowsWhatAnOptionTakes) {
  EXPECT_THAT(offered({"sheaf", "query", "--format", ""}), ElementsAre("csv", "json", "ndjson", "table"));
  EXPECT_THAT(offered({"sheaf", "run", "shop.yaml", "--format", "j"}), ElementsAre("json", "junit"));
  EXPECT_THAT(offered({"sheaf", "query", "--on-error", ""}), ElementsAre("fail", "first", "partial"));
  EXPECT_THAT(offered({"sheaf", "run", "--timeline", "sh"}), ElementsAre("shop.yaml"));
  EXPECT_THAT(offered({"sheaf", "query", "--deadline", ""}), IsEmpty());
  EXPECT_THAT(offered({"sheaf", "completion", ""}), IsSupersetOf({"bash", "zsh"}));
  EXPECT_THAT(offered({"sheaf", "help", "e"}), ElementsAre("exit-codes", "expressions"));
  const auto joined =
      GetParam() == "bash" ? words{"sheaf", "query", "--format", "=", "c"} : words{"sheaf", "query", "--format=c"};
  EXPECT_THAT(offered(joined), ElementsAre("csv"));
}

TEST_P(Completion, KnowsFilesAndWhatIsInThem) {
  EXPECT_THAT(offered({"sheaf", "check", "a.yaml", "sh"}), ElementsAre("shop.yaml"));
  EXPECT_THAT(offered({"sheaf", "run", "sh"}), ElementsAre("shop.yaml"));
  for (const words& before : {words{"sheaf", "run", "shop.yaml"},
                              {"sheaf", "run", "--seed", "1", "-D", "a=b", "shop.yaml"},
                              {"sheaf", "run", "--timeline", "--seed", "7", "shop.yaml"}}) {
    auto line = before;
    line.emplace_back("");
    EXPECT_THAT(offered(line), AllOf(IsSupersetOf({"dashboard", "authors", "smoke"}), Not(Contains("shop.yaml"))));
  }
  EXPECT_THAT(offered({"sheaf", "bench", "shop.yaml", ""}), ElementsAre("smoke"));
  EXPECT_THAT(offered({"sheaf", "run", "shop.yaml", "dashboard", "-p", ""}), ElementsAre("author=", "ids="));
  EXPECT_THAT(offered({"sheaf", "run", "shop.yaml", "-D", "DATA"}), ElementsAre("DATABASE_URL="));
  EXPECT_THAT(offered({"sheaf", "query", "sqlite:shop.db", "-p", ""}), IsEmpty());
  write("notes.txt", "");
  std::filesystem::create_directory(at("folder"));
  EXPECT_THAT(offered({"sheaf", "check", "not"}), AnyOf(IsEmpty(), ElementsAre("notes.txt")));
  EXPECT_THAT(offered({"sheaf", "check", ""}), AllOf(Contains("shop.yaml"), Not(Contains("notes.txt"))));
  EXPECT_THAT(offered({"sheaf", "run", "shop.yaml", "--output", "n"}), ElementsAre("notes.txt"));
  EXPECT_THAT(offered({"sheaf", "help", "ru"}), ElementsAre("run"));
  write("broken.yaml", "requests: {here: {queries: {q: 1}}}\n");
  EXPECT_THAT(offered({"sheaf", "run", "broken.yaml", "h"}), ElementsAre("here"));
  EXPECT_THAT(offered({"sheaf", "run", "nope.yaml", "h"}), IsEmpty());
}

/// Somebody else's file may have any names.
TEST_P(Completion, OffersANameAsOneWordThatDoesNothing) {
  write("names.yaml", "databases: {main: {url: 'sqlite::memory:'}}\nrequests:\n"
                      "  \"a;touch${IFS}made\": {queries: {q: select 1}}\n"
                      "  $(touch made): {queries: {q: select 1}}\n"
                      "  \"a b\\nc\": {queries: {q: select 1}}\n"
                      "  \"a\\tYAML\": {queries: {q: select 1}}\n"
                      "  \"--a;touch${IFS}made\": {queries: {q: select 1}}\n"
                      "  FILES: {queries: {q: select 1}}\n"
                      "  a-plain.one: {queries: {q: select 1}}\n");
  const std::set<std::string> plain = offered({"sheaf", "run", "names.yaml", "a"});
  EXPECT_THAT(plain, Contains("a-plain.one"));
  EXPECT_THAT(offered({"sheaf", "run", "names.yaml", "F"}), ElementsAre("FILES"));
  const auto all = offered({"sheaf", "run", "names.yaml", ""});
  EXPECT_EQ(all.size(), 4u) << "no name with a control character";
  if (GetParam() == "zsh")
    return; // it quotes what it inserts
  EXPECT_THAT(offered({"sheaf", "run", "names.yaml", "\"a"}), IsEmpty()) << "within quotes it would be quoted twice";
  auto inserted = all;
  inserted.merge(offered({"sheaf", "run", "names.yaml", "--a"}));
  EXPECT_EQ(inserted.size(), all.size() + 1) << "one begins as an option does";
  for (const auto& word : inserted) {
    const auto done = run({"bash", "-c", "printf '%s\\n' " + word}, there());
    EXPECT_EQ(lines_of(done.out).size(), 1u) << word;
    EXPECT_EQ(done.err, "") << word;
  }
  EXPECT_FALSE(std::filesystem::exists(at("made")));
}

TEST_P(Completion, WaitsForNoPipe) {
  ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  EXPECT_THAT(offered({"sheaf", "run", "pipe", ""}), IsEmpty());
  EXPECT_THAT(offered({"sheaf", "run", "-", ""}), IsEmpty());
}

TEST_F(SheafFileCommand, IsCompletedByZshItself) {
  const auto done = run({"zsh", "-f", "-c",
                         "autoload -Uz compinit && compinit -D -u && source <(" + program() +
                             " completion zsh) && print -- $_comps[sheaf]"},
                        {.directory = folder.path()});
  EXPECT_EQ(done.out, "_sheaf\n") << done.err;
  EXPECT_EQ(sheaf({"completion"}).exit_code, 1);
  EXPECT_EQ(sheaf({"completion", "fish"}).exit_code, 1);
}

TEST(Help, ExplainsEachTopic) {
  using namespace sheaf::app;
  const auto list = run_sheaf({"help"}).out;
  for (const auto& topic : help_topics()) {
    EXPECT_THAT(list, HasSubstr(fmt::format("  sheaf help {} ", topic.name)));
    const auto said = run_sheaf({"help", std::string{topic.name}});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_EQ(said.out, topic.text());
    EXPECT_GT(said.out.size(), 100u);
  }
  const auto file = run_sheaf({"help", "file"}).out;
  for (const auto x : all_sections())
    for (const auto& key : keys_of(x))
      EXPECT_THAT(file, HasSubstr(fmt::format("\n  {} ", key.name)));
  const auto expressions = run_sheaf({"help", "expressions"}).out;
  const auto documented = text_of(source / "docs/sheaf-file.md");
  for (const auto& f : all_functions())
    EXPECT_THAT(expressions, HasSubstr(f.name));
  for (const auto field : reply_fields()) {
    EXPECT_THAT(expressions, HasSubstr(field));
    EXPECT_THAT(documented, HasSubstr(fmt::format("`{}`", field)));
  }
  for (const auto field : query_fields()) {
    EXPECT_THAT(expressions, HasSubstr(fmt::format("QUERY.{}", field)));
    EXPECT_THAT(documented, HasSubstr(fmt::format("`QUERY.{}`", field)));
  }
}

TEST(Help, KnowsCommandsAndNamesTheNearest) {
  EXPECT_EQ(run_sheaf({"help", "run"}).out, run_sheaf({"run", "--help"}).out);
  const auto near = run_sheaf({"help", "expresions"});
  EXPECT_EQ(near.exit_code, 1);
  EXPECT_EQ(near.err, "sheaf: there is no help on \"expresions\"; did you mean \"expressions\"?\n");
  EXPECT_THAT(run_sheaf({"help", "nonsense"}).err,
              HasSubstr("; there is on file, schema, expressions, values, exit-codes, "));
}

} // namespace
