// A file for one test.
#ifndef DESCENT_TESTS_SUPPORT_TEMPORARY_HPP
#define DESCENT_TESTS_SUPPORT_TEMPORARY_HPP

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

// A name that no other process has; what is there is removed at the end.
class Temporary {
  std::string path_;

 public:
  explicit Temporary(std::string_view name)
      : path_((std::filesystem::temp_directory_path() /
               ("descent." + std::to_string(getpid()) + "." + std::string(name)))
                  .string()) {}
  Temporary(std::string_view name, std::string_view text) : Temporary(name) { write(text); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() { std::filesystem::remove(path_); }

  const std::string& path() const { return path_; }
  void write(std::string_view text) const {
    std::filesystem::remove(
        path_);  // some file systems wait for the disk when a file is cut and written again
    std::ofstream(path_, std::ios::binary | std::ios::trunc)
        .write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  std::string text() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool exists() const { return std::filesystem::exists(path_); }
  // Files whose names begin with this one's, but for itself.
  int companions() const {
    const std::filesystem::path self(path_);
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(self.parent_path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(self.filename().string()) && name != self.filename().string()) ++count;
    }
    return count;
  }
};

#endif  // DESCENT_TESTS_SUPPORT_TEMPORARY_HPP
