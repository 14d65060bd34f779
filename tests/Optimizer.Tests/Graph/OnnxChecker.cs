using System.Diagnostics;
using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph;

/// <summary>ONNX's own checker with strict shape inference, from Debian's python3-onnx: an opinion that is not ours.</summary>
internal static class OnnxChecker
{
    private const string Python = "/usr/bin/python3";
    private const string Program = "import onnx,sys; m=onnx.load(sys.argv[1]); onnx.checker.check_model(m, full_check=True)";

    public static void Accepts(ModelProto model)
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/onnx"), "the Debian package python3-onnx is not installed");
        var path = Path.GetTempFileName();
        try
        {
            ModelFile.Save(model, path);
            using var checker = Process.Start(new ProcessStartInfo(Python, ["-c", Program, path]) { RedirectStandardError = true })!;
            var complaint = checker.StandardError.ReadToEnd();
            checker.WaitForExit();
            Assert.True(checker.ExitCode == 0, complaint);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
