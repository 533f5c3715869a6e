// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend.hpp"

namespace sheaf {

std::string backend::from_folder(std::string url, const std::filesystem::path&) const { return url; }

std::string backend::join_url(const std::vector<std::string>& texts, const std::vector<std::string>& values) const {
  std::string url = texts.front();
  for (std::size_t i = 0; i < values.size(); ++i)
    url.append(values[i]).append(texts[i + 1]);
  return url;
}

std::string backend::for_preparing(std::string url) const { return url; }

std::optional<backend::insert_failure> backend::insert(soci::session& on, std::string_view table,
                                                       std::span<const std::string> columns,
                                                       std::span<const text_row> rows,
                                                       const std::function<void(std::size_t)>& done) const {
  constexpr std::size_t piece = 1000;
  std::string names, places;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names += (i > 0 ? ", " : "") + as_identifier(columns[i]);
    places += (i > 0 ? ", " : "") + placeholder(i + 1);
  }
  const auto sql = "insert into " + as_identifier(table) + " (" + names + ") values (" + places + ')';
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (auto why = run(on, sql, rows[i]))
      return insert_failure{std::move(*why), i};
    if ((i + 1) % piece == 0 && i + 1 < rows.size())
      done(i + 1);
  }
  done(rows.size());
  return {};
}

std::string as_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name)
    out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

} // namespace sheaf
