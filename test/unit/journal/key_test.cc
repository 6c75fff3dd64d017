#include "journal/key.h"

#include <gtest/gtest.h>

#include <set>

#include "base/hooks.h"

namespace perdure {
namespace {

const TaskId kTask = TaskId::make(1, 2, 3);
const Sha256 kArgs = sha256("{}");

TEST(Key, IsOfThePositionAlone) {
  const std::string key = key_of("secret", kTask, "s1", 0, kArgs);
  EXPECT_EQ(key.size(), 32u);
  EXPECT_EQ(key.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos);
  EXPECT_EQ(key, key_of("secret", kTask, "s1", 0, sha256("other arguments")));
}

// Stored positions must keep their key for as long as receivers remember it.
TEST(Key, DoesNotChangeBetweenVersions) {
  EXPECT_EQ(key_of("secret", kTask, "s1", 0, kArgs), "eph52bn6xeff3cybw0x7abyw24gv21qf");
}

TEST(Key, DiffersInEveryPart) {
  std::set<std::string> keys;
  for (const char* secret : {"secret", "other"}) {
    for (const TaskId& task : {kTask, TaskId::make(1, 2, 4)}) {
      for (const char* step : {"s1", "s2", "s", "1"}) {
        for (const uint32_t group : {0u, 1u, 256u}) {
          keys.insert(key_of(secret, task, step, group, kArgs));
        }
      }
    }
  }
  EXPECT_EQ(keys.size(), 2u * 2 * 4 * 3);
}

#ifdef PERDURE_TEST_HOOKS
TEST(Key, ThePlantedBugTakesTheArguments) {
  const std::string right = key_of("secret", kTask, "s1", 0, kArgs);
  hooks::plant(hooks::Bug::kKeyFromArguments);
  EXPECT_EQ(key_of("secret", kTask, "s1", 0, kArgs), key_of("secret", kTask, "s2", 1, kArgs));
  EXPECT_NE(key_of("secret", kTask, "s1", 0, kArgs), key_of("secret", kTask, "s1", 0, sha256("")));
  hooks::plant(hooks::Bug::kNone);
  EXPECT_EQ(key_of("secret", kTask, "s1", 0, kArgs), right);
}
#endif

}  // namespace
}  // namespace perdure
