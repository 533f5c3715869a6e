# cmake -D OUTPUT=FILE.cpp -D FILES=A,B,... -P EmbedFiles.cmake : writes the definition of page_files() (app/serve/page.hpp) with
# the bytes of these files.

string(REPLACE "," ";" files "${FILES}")
set(arrays "")
set(entries "")
set(n 0)
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND arrays "constexpr char file_${n}[] = {${bytes}'\\0'};\n")
  string(APPEND entries "  page_file{\"${name}\", {file_${n}, ${size}}},\n")
  math(EXPR n "${n} + 1")
endforeach()

file(
  WRITE "${OUTPUT}"
  "#include \"app/serve/page.hpp\"

namespace sheaf::app::serve {

namespace {

${arrays}
constexpr page_file all[] = {
${entries}};

} // namespace

std::span<const page_file> page_files() noexcept { return all; }

} // namespace sheaf::app::serve
")
