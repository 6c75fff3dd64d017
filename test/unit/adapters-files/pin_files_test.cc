#include "adapters/files/pin_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "temporary_dir.h"

namespace perdure {
namespace {

TEST(PinFilesTest, TheLastTextStands) {
  const test::TemporaryDir dir;
  {
    PinFiles pins(dir.path());
    const auto none = pins.load("shop");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::kNotFound);
    EXPECT_TRUE(pins.save("shop", "one"));
    EXPECT_TRUE(pins.save("bank", "other"));
  }
  // A process that was killed while it wrote.
  std::ofstream(dir.path() + "/tools/shop.json.new") << "half";
  PinFiles pins(dir.path());
  EXPECT_EQ(pins.load("shop").value(), "one");
  EXPECT_TRUE(pins.save("shop", "two"));
  EXPECT_EQ(pins.load("shop").value(), "two");
  EXPECT_EQ(pins.load("bank").value(), "other");
}

}  // namespace
}  // namespace perdure
