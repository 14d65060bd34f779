using Dunlin.TestKit;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Optimizer.Tests;

public sealed class DiscretionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    // It keeps a device id in the user's cache before it sends anything, unless it finds itself on a machine of CI.
    [Fact]
    public async Task OnnxRuntimeReportsNothingToItsMaker()
    {
        var (home, model) = (_folder.Sub("home"), _folder.File("model.onnx", OnnxModels.Tiny()));

        await Tool.SucceedAsync(
            "env", "--unset=ORT_DISABLE_TELEMETRY", "--unset=CI", "--unset=XDG_CACHE_HOME", $"HOME={home}", OptimizerProcess.Program, "inspect", model);

        Assert.Empty(Directory.GetDirectories(home, "Microsoft", SearchOption.AllDirectories));
    }

    public void Dispose() => _folder.Dispose();
}
