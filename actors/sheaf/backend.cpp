// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend.hpp"

namespace sheaf {

std::string backend::from_folder(std::string url, const std::filesystem::path&) const { return url; }

std::string backend::for_preparing(std::string url) const { return url; }

} // namespace sheaf
