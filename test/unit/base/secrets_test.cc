#include "base/secrets.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace perdure {
namespace {

TEST(ReadSecret, FromTheEnvironment) {
  setenv("PERDURE_TEST_SECRET", "open sesame", 1);
  EXPECT_EQ(read_secret("env:PERDURE_TEST_SECRET").value(), "open sesame");
  unsetenv("PERDURE_TEST_SECRET");
  EXPECT_EQ(read_secret("env:PERDURE_TEST_SECRET").error().message,
            "the environment variable 'PERDURE_TEST_SECRET' is not set");
}

TEST(ReadSecret, FromAFileWithoutItsLastLineEnd) {
  const std::string path = testing::TempDir() + "perdure_secret_" + std::to_string(getpid());
  for (const char* text : {"open sesame", "open sesame\n", "open sesame\r\n"}) {
    FILE* file = std::fopen(path.c_str(), "w");
    std::fputs(text, file);
    std::fclose(file);
    EXPECT_EQ(read_secret("file:" + path).value(), "open sesame");
  }
  std::remove(path.c_str());
  EXPECT_EQ(read_secret("file:" + path).error().code, Code::kNotFound);
}

TEST(ReadSecret, DoesNotQuoteAValueThatWasWrittenInstead) {
  const auto read = read_secret("sk-open-sesame");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message.find("sesame"), std::string::npos);
}

TEST(Secrets, FillsByName) {
  Secrets secrets;
  ASSERT_TRUE(secrets.add("a", "alpha-alpha"));
  ASSERT_TRUE(secrets.add("b.2", "beta-beta-"));
  EXPECT_EQ(secrets.fill("x {{secret:a}}{{secret:b.2}} y").value(), "x alpha-alphabeta-beta- y");
  EXPECT_EQ(secrets.fill("plain {{x}}").value(), "plain {{x}}");
  EXPECT_EQ(secrets.fill("{{secret:c}}").error().message, "the secret 'c' is not configured");
  EXPECT_EQ(secrets.fill("{{secret:c}}").error().code, Code::kNotFound);
  for (const char* text : {"{{secret:a", "{{secret:}}", "{{secret:a b}}"}) {
    EXPECT_EQ(secrets.fill(text).error().code, Code::kInvalid) << text;
  }
}

// A value that was filled in is not looked at again.
TEST(Secrets, DoesNotFillWhatItFilledIn) {
  Secrets secrets;
  ASSERT_TRUE(secrets.add("a", "{{secret:b}}"));
  ASSERT_TRUE(secrets.add("b", "beta-beta"));
  EXPECT_EQ(secrets.fill("{{secret:a}}").value(), "{{secret:b}}");
}

TEST(Secrets, RefusesWhatCannotBeMasked) {
  Secrets secrets;
  const auto added = secrets.add("key", "sesame7");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message.find("sesame"), std::string::npos);
  EXPECT_FALSE(secrets.add("a name", "long enough"));
  EXPECT_EQ(secrets.find("key"), nullptr);
}

TEST(Secrets, MakeTheirMasker) {
  Secrets secrets;
  ASSERT_TRUE(secrets.add("key", "open sesame"));
  EXPECT_EQ(secrets.masker().mask("it was open sesame."), "it was {{secret:key}}.");
}

}  // namespace
}  // namespace perdure
