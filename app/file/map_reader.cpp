// SPDX-License-Identifier: BSD-3-Clause

#include "app/file/map_reader.hpp"

#include "app/base/duration.hpp"
#include "app/base/nearest.hpp"
#include "app/base/parse_number.hpp"
#include "app/base/text.hpp"
#include "app/base/text_file.hpp"

#include "sheaf/backends.hpp"

#include <CLI/Error.hpp>
#include <CLI/StringTools.hpp>
#include <CLI/TypeTools.hpp>
#include <CLI/Validators.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace sheaf::app {

namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// A key as it may be shown: what has other characters may be what a comma has cut off a URL.
bool is_plain(std::string_view key) noexcept {
  return std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == ' ' || c >= 0x80;
  });
}

} // namespace

// -- what every section needs

void reading::error(location at, std::string message) {
  findings.push_back({finding::severity::error, at, std::move(message)});
}

void reading::warning(location at, std::string message) {
  findings.push_back({finding::severity::warning, at, std::move(message)});
}

std::optional<std::string> reading::filled(const yaml_node& text) {
  return filled(text, [](const std::vector<std::string>& texts, const std::vector<std::string>& values) {
    std::string out = texts.front();
    for (std::size_t i = 0; i < values.size(); ++i)
      out.append(values[i]).append(texts[i + 1]);
    return out;
  });
}

std::optional<std::string> reading::filled_url(const yaml_node& text) {
  return filled(text, [](const std::vector<std::string>& texts, const std::vector<std::string>& values) {
    const auto kind = backend_for(texts.front().empty() && !values.empty() ? values.front() : texts.front());
    return (kind ? **kind : *backends().front()).join_url(texts, values);
  });
}

void reading::mention(const result<expression>& in, variable_names& to) {
  if (in.has_value())
    for (const auto& name : in->names())
      to.insert(name.path);
}

std::optional<std::string> reading::filled(const yaml_node& text, const joiner& join) {
  const auto parsed = template_text::parse(text.text);
  if (parsed.has_error()) {
    error(text.at, parsed.error().message);
    return {};
  }
  for (const auto& hole : parsed->holes())
    asked.insert(hole.inner);
  const auto values = parsed->fillings([&](const template_text::hole& x) -> result<std::string> {
    if (const auto found = given.find(x.inner); found != given.end())
      return found->second;
    if (const char* there = std::getenv(x.inner.c_str()); there && !(x.has_default && *there == '\0'))
      return std::string{there};
    if (!is_name(x.inner)) // it may be a piece of a password
      return failure{.code = errc::invalid_request,
                     .message =
                         "a variable's name has letters, digits and underscores; write $${ for a ${ as it stands"};
    return failure{.code = errc::invalid_request,
                   .message = fmt::format("there is no variable {0}: give -D {0}=VALUE, set it in the environment, or "
                                          "write ${{{0}:-DEFAULT}}",
                                          x.inner)};
  });
  if (values.has_value())
    return join(parsed->texts(), *values);
  error(text.at, values.error().message);
  return {};
}

std::optional<std::string> reading::content_of(const std::string& path, location at) {
  const auto whole = (folder / path).string();
  std::error_code failed;
  const bool is_plain = std::filesystem::is_regular_file(whole, failed);
  if (whole == "-" || (!is_plain && !failed)) { // a pipe may never end, and `-` would be standard input
    error(at, fmt::format("{}: it is no plain file", whole));
    return {};
  }
  constexpr std::size_t mebibytes_max = 64;
  const auto size = std::filesystem::file_size(whole, failed);
  bytes_named += failed ? 0 : size;
  if (bytes_named > mebibytes_max << 20) { // before it is read: a small file may be named a thousand times
    error(at, fmt::format("{}: the files that this one names are larger than {} MiB in all", whole, mebibytes_max));
    return {};
  }
  auto text = read_text_file(whole);
  if (text.has_value())
    return std::move(*text);
  error(at, fmt::format("{}: {}", whole, text.error().message));
  return {};
}

// -- one section

map_reader::map_reader(reading& in, const yaml_node& node, section which) : in_(in), node_(node), section_(which) {
  if (node.is != yaml_node::kind::map) {
    in.error(node.at, fmt::format("{} is a map, and this is {}", to_string(which), to_string(node.is)));
    return;
  }
  constexpr const char* comma = "; within { } a comma ends a value that has no quotes";
  std::vector<std::string_view> known;
  for (const auto& key : keys_of(which))
    known.push_back(key.name);
  for (const auto& key : node.keys)
    if (std::find(known.begin(), known.end(), key.text) == known.end())
      in.error(key.at, is_plain(key.text)
                           ? fmt::format("{} has no key \"{}\"{}", to_string(which), key.text,
                                         key.text.find(' ') == key.text.npos ? did_you_mean(key.text, known) : comma)
                           : fmt::format("{} has no such key{}", to_string(which), comma));
}

const file_key& map_reader::declared(std::string_view key) const {
  const auto keys = keys_of(section_);
  return *std::find_if(keys.begin(), keys.end(), [key](const file_key& x) { return x.name == key; });
}

const yaml_node* map_reader::find(std::string_view key) const {
  const auto* found = node_.find(key);
  return found && found->is != yaml_node::kind::null ? found : nullptr;
}

const yaml_node* map_reader::scalar(std::string_view key, std::string_view wanted) const {
  const auto* found = find(key);
  if (found && found->is != yaml_node::kind::scalar) {
    in_.error(found->at, fmt::format("{} is {}, and this is {}", key, wanted, to_string(found->is)));
    return nullptr;
  }
  return found;
}

std::optional<std::string> map_reader::text(std::string_view key) const {
  const auto* found = scalar(key, "text");
  if (!found)
    return {};
  if (found->text.empty()) {
    in_.error(found->at, fmt::format("{} is empty", key));
    return {};
  }
  return found->text;
}

std::optional<std::size_t> map_reader::number(std::string_view key) const {
  const auto* found = scalar(key, "a number");
  if (!found)
    return {};
  const auto x = found->quoted ? std::nullopt : parse_number<std::size_t>(found->text);
  if (!x)
    in_.error(found->at, fmt::format("{} is a whole number, and this is \"{}\"", key, found->text));
  return x;
}

std::optional<std::size_t> map_reader::size(std::string_view key) const {
  const auto* found = scalar(key, "a size");
  if (!found)
    return {};
  auto bytes = found->text;
  try {
    const auto first = bytes.find_first_not_of(' '); // or it would take `MiB` for 1 MiB
    if (first != bytes.npos && bytes[first] >= '0' && bytes[first] <= '9' && CLI::AsSizeValue(false)(bytes).empty())
      if (const auto x = parse_number<std::size_t>(bytes))
        return x;
  } catch (const CLI::ValidationError&) { // so it says that there is no number
  }
  in_.error(found->at, fmt::format("{} is a size such as 64MiB, and this is \"{}\"", key, found->text));
  return {};
}

std::optional<bool> map_reader::boolean(std::string_view key) const {
  const auto* found = scalar(key, "true or false");
  if (!found)
    return {};
  if (!found->quoted && (found->text == "true" || found->text == "false"))
    return found->text == "true";
  in_.error(found->at, fmt::format("{} is true or false, and this is \"{}\"", key, found->text));
  return {};
}

std::optional<std::chrono::nanoseconds> map_reader::duration(std::string_view key) const {
  const auto* found = scalar(key, "a duration");
  if (!found)
    return {};
  const auto x = parse_duration(found->text);
  if (x.has_value())
    return *x;
  in_.error(found->at, fmt::format("{}: {}", key, x.error().message));
  return {};
}

std::optional<double> map_reader::rate(std::string_view key) const {
  const auto* found = scalar(key, "a rate");
  if (!found)
    return {};
  const auto x = parse_rate(found->text);
  if (x.has_value())
    return *x;
  in_.error(found->at, fmt::format("{}: {}", key, x.error().message));
  return {};
}

std::optional<std::string_view> map_reader::choice(std::string_view key) const {
  const auto* found = scalar(key, "a word");
  return found ? choice(key, *found) : std::nullopt;
}

std::optional<std::string_view> map_reader::choice(std::string_view key, const yaml_node& word) const {
  const auto words = words_of(declared(key).choices);
  const auto found = std::find(words.begin(), words.end(), word.text);
  if (word.is == yaml_node::kind::scalar && found != words.end())
    return *found;
  in_.error(word.at, fmt::format("{} is one of {}, and this is {}", key, fmt::join(words, ", "),
                                 word.is == yaml_node::kind::scalar
                                     ? fmt::format("\"{}\"{}", word.text, did_you_mean(word.text, words))
                                     : std::string{to_string(word.is)}));
  return {};
}

std::optional<std::vector<std::string_view>> map_reader::choice_list(std::string_view key) const {
  const auto* found = find(key);
  if (!found)
    return {};
  std::vector<std::string_view> all;
  each_element(key, [&](const yaml_node& x) {
    const auto one = choice(key, x);
    if (one && std::find(all.begin(), all.end(), *one) != all.end())
      in_.error(x.at, fmt::format("{} has \"{}\" twice", key, x.text));
    else if (one)
      all.push_back(*one);
  });
  if (all.empty() && found->is == yaml_node::kind::sequence && found->values.empty())
    in_.error(found->at, fmt::format("{} is empty", key));
  return all.empty() ? std::nullopt : std::optional{std::move(all)};
}

void map_reader::each_name(std::string_view key,
                           const std::function<void(const yaml_key&, const yaml_node&)>& f) const {
  const auto* found = find(key);
  if (!found)
    return;
  if (found->is != yaml_node::kind::map) {
    in_.error(found->at, fmt::format("{} is a map from names, and this is {}", key, to_string(found->is)));
    return;
  }
  for (std::size_t i = 0; i < found->keys.size(); ++i) {
    if (has_control(found->keys[i].text))
      in_.error(found->keys[i].at, fmt::format("a name in {} has a control character", key));
    f(found->keys[i], found->values[i]);
  }
}

void map_reader::each_element(std::string_view key, const std::function<void(const yaml_node&)>& f) const {
  const auto* found = find(key);
  if (!found)
    return;
  if (found->is != yaml_node::kind::sequence) {
    in_.error(found->at, fmt::format("{} is a list, and this is {}", key, to_string(found->is)));
    return;
  }
  for (const auto& x : found->values)
    f(x);
}

} // namespace sheaf::app
