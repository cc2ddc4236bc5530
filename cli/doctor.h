// gdsd doctor: what this machine has, what will be used, and what is missing.
#pragma once

namespace gdsd {

int run_doctor();

}  // namespace gdsd
