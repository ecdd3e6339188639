# The main program tells the version of the package, without any variable of the environment.
versionCheckHook() {
  local output
  output=$(env --ignore-environment "$out/bin/$NIX_MAIN_PROGRAM" "$versionCheckProgramArg" 2>&1)
  echo "$output"
  [[ $output == *"$version"* ]]
}
preInstallCheckHooks+=(versionCheckHook)
