// gdsd diagnose: what is wrong with each method's gradient, at a checkpoint of a run.
#pragma once

#include "cli/verbs.h"
#include "gdsd/diagnose/diagnose.h"

namespace gdsd {

struct DiagnoseArguments {
  std::string checkpoint;  // a checkpoint's folder, or a run's, of which the latest is taken
  std::vector<std::string> overrides;
  std::string json, html;
};
int run_diagnose(const DiagnoseArguments& arguments);

/// Every key with its type, default and meaning.
std::string diagnose_keys();

/// What the page and the table say of where the figures come from.
struct DiagnosisSource {
  std::string checkpoint, old;  // folders, as they were given
};

/// A self-contained page.
std::string render_diagnosis(const Diagnosis& diagnosis, const DiagnosisSource& source);

/// The columns of the table and what they mean, for both.
struct DiagnosisColumn {
  std::string name, meaning;
  std::function<std::string(const MethodDiagnosis&)> text;
};
std::vector<DiagnosisColumn> diagnosis_columns(const Diagnosis& diagnosis);

/// One line: rollouts, their mean reward, and how their likelihood was found.
std::string describe(const Diagnosis& diagnosis, const DiagnosisSource& source);

}  // namespace gdsd
