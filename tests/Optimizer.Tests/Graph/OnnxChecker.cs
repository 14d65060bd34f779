using System.Diagnostics;
using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph;

/// <summary>ONNX's own checker with strict shape inference, from Debian's python3-onnx: an opinion that is not ours.</summary>
internal static class OnnxChecker
{
    private const string Python = "/usr/bin/python3";
    private const string Program = """
        import onnx, sys
        for path in sys.argv[1:]:
            try: onnx.checker.check_model(onnx.load(path), full_check=True)
            except Exception as error: sys.exit(f"model {sys.argv.index(path) - 1}: {error}")
        """;

    /// <summary>All in one process, since loading the checker takes longer than checking.</summary>
    public static void Accepts(params IReadOnlyList<ModelProto> models)
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/onnx"), "the Debian package python3-onnx is not installed");
        var folder = Directory.CreateTempSubdirectory("dunlin-checker").FullName;
        try
        {
            var paths = models.Select((_, i) => Path.Combine(folder, $"{i}.onnx")).ToList();
            foreach (var (model, path) in models.Zip(paths)) ModelFile.Save(model, path);
            using var checker = Process.Start(new ProcessStartInfo(Python, ["-c", Program, .. paths]) { RedirectStandardError = true })!;
            var complaint = checker.StandardError.ReadToEnd();
            checker.WaitForExit();
            Assert.True(checker.ExitCode == 0, complaint);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
