target_exporter_test() { # holds the optimizer's graph against torchvision's classifiers as Debian's PyTorch exports them (minutes)
  need python3-torch python3-torchvision python3-onnx
  local folder=artifacts/exported-models
  if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"; mkdir -p "$folder"
    /usr/bin/python3 packaging/export-models.py "$folder"
    touch "$folder/complete"
  fi
  compile build tests/Optimizer.Tests
  DUNLIN_MODELS=$PWD/$folder dotnet run --project tests/Optimizer.Tests -c Release --no-build -- -class '*ExportedModelsTests' "$@"
}
