#include "gdsd/reward/sandbox_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace gdsd {
namespace {

/// bwrap mounts a folder, or repeats a link to one inside /usr.
void add_system_folder(std::vector<std::string>& command, const std::string& path) {
  struct stat found {};
  std::array<char, 256> target{};
  if (lstat(path.c_str(), &found) != 0) return;
  const bool link = S_ISLNK(found.st_mode) && readlink(path.c_str(), target.data(), 255) > 0;
  for (const std::string& word : {std::string(link ? "--symlink" : "--ro-bind"),
                                  link ? std::string(target.data()) : path, path})
    command.push_back(word);
}

/// Parts of /usr that a program has no business with, unless Python itself is there: they are empty.
void hide_local_folders(std::vector<std::string>& command, const std::string& python) {
  std::error_code error;
  const std::string real = std::filesystem::weakly_canonical(python, error).string();
  for (const std::string path : {"/usr/src", "/usr/local"})
    if (std::filesystem::is_directory(path, error) && !real.starts_with(path + "/"))
      for (const char* word : {"--tmpfs", path.c_str(), "--remount-ro", path.c_str()})
        command.emplace_back(word);
}

}  // namespace

std::vector<std::string> sandbox_command(const SandboxStart& start) {
  std::vector<std::string> command;
  // Inside the user is nobody in any case; root should be so outside, too.
  if (geteuid() == 0)
    command = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"};
  for (const char* word :
       {start.bubblewrap.c_str(), "--unshare-all", "--unshare-user", "--unshare-cgroup", "--uid",
        "65534", "--gid", "65534", "--hostname", "sandbox", "--die-with-parent", "--new-session",
        "--as-pid-1", "--cap-drop", "ALL", "--clearenv", "--setenv", "PYTHONHASHSEED", "0"})
    command.emplace_back(word);
  for (const char* path : {"/usr", "/bin", "/lib", "/lib64", "/lib32"})
    add_system_folder(command, path);
  hide_local_folders(command, start.python);
  const std::string size = std::to_string(start.files_bytes);
  // -I would ignore PYTHONHASHSEED, and with it the order of sets would be another every time.
  for (const std::string& word :
       {std::string("--size"), size, std::string("--tmpfs"), std::string("/tmp"),
        std::string("--remount-ro"), std::string("/"), std::string("--chdir"), std::string("/tmp"),
        std::string("--seccomp"), std::to_string(kFilter), std::string("--info-fd"),
        std::to_string(kInfo), std::string("--"), start.python, std::string("-sPSB"),
        std::string("-c"), start.source})
    command.push_back(word);
  return command;
}

}  // namespace gdsd
