namespace Dunlin.Optimizer.Tests;

public sealed class OptimizerCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-optimizer").FullName;

    [Theory]
    [InlineData("optimize", "--budget")]
    [InlineData("search", "--verdicts")]
    [InlineData("inspect", "--input-shape")]
    [InlineData("prune", "--scope")]
    [InlineData("train", "--teacher")]
    [InlineData("distil", "--temperature")]
    [InlineData("quantize", "--images")]
    [InlineData("split", "--shares")]
    [InlineData("evaluate", "--reference")]
    [InlineData("explain", "--variant")]
    [InlineData("report", "--explained")]
    [InlineData("pack", "--golden")]
    [InlineData("belt", "--count")]
    public async Task HelpExplainsEachCommand(string command, string option)
    {
        var (code, output, _) = await CommandRun.Of(command, "--help");
        Assert.Equal(0, code);
        Assert.Contains(option, output);
    }

    [Theory]
    [InlineData("belt --out {0}/film")]
    [InlineData("train --out {0}/net.onnx")]
    [InlineData("distil {0}/net.onnx --teacher {0}/teacher.onnx --out {0}/q.onnx")]
    [InlineData("quantize {0}/net.onnx --out {0}/q.onnx")]
    [InlineData("evaluate {0}/net.onnx")]
    [InlineData("pack {0}/net.onnx --out {0}/bundle --name net")]
    public async Task WithoutADataSetEachCommandSaysHowToGetOneAndLeavesNothing(string line)
    {
        var (code, _, error) = await CommandRun.Of([.. string.Format(null, line, _folder).Split(' '), "--data", $"{_folder}/none"]);
        Assert.Equal(1, code);
        Assert.Contains("dataset-fashion-mnist", error);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("train --out {0}/net.onnx --widths 16,x", "16,32,64")]
    [InlineData("train --out {0}/net.onnx --epochs 0", "--epochs is 0")]
    [InlineData("distil {0}/net.onnx --teacher {0}/teacher.onnx --out {0}/q.onnx --temperature 0.5", "--temperature is 0.5")]
    [InlineData("train --out {0}/q.onnx --teacher {0}/teacher.onnx --teacher-weight 1.5", "--teacher-weight is 1.5; it must be from 0 to 1")]
    [InlineData("distil {0}/net.onnx --teacher {0}/teacher.onnx --out {0}/q.onnx --learning-rate 20", "--learning-rate is 20; it must be from 1E-07 to 10")]
    [InlineData("train --out {0}/q.onnx --teacher-weight 0.5", "--teacher-weight is for a teacher, and there is none")]
    [InlineData("train --out {0}/q.onnx --views 2", "--views is for a teacher, and there is none")]
    [InlineData("train --out {0}/q.onnx --learning-rate -0.1", "--learning-rate is -0.1; it must be from 1E-07 to 10")]
    [InlineData("belt --out {0}/film --count 0", "--count is 0")]
    [InlineData("quantize {0}/net.onnx --out {0}/q.onnx --limit fast", "-1.0pt")]
    [InlineData("quantize {0}/net.onnx --out {0}/q.onnx --images 3", "at least 16")]
    [InlineData("pack {0}/net.onnx --out {0}/bundle --name net --golden 50", "at least 200")]
    [InlineData("pack {0}/net.onnx --out {0}/bundle --name net --region 0,0,2,1", "208,128,224,224@640x480")]
    [InlineData("train --out {0}/net.onnx --augment flop", "flip, shift, soften and colour")]
    [InlineData("train --out {0}/net.onnx --input-shape 2x3x8x8", "one image")]
    [InlineData("evaluate {0}/none.onnx", "dunlin-optimizer train")]
    public async Task AWrongValueIsNamedWithItsRule(string line, string expected)
    {
        Assert.SkipUnless(Directory.Exists(Optimizer.Data.FashionMnist.DebianFolder), "the Debian package dataset-fashion-mnist is not installed");
        var (code, _, error) = await CommandRun.Of(string.Format(null, line, _folder).Split(' '));
        Assert.Equal(1, code);
        Assert.Contains(expected, error);
    }

    [Fact]
    public async Task AFileThatIsNoModelIsRefused()
    {
        Assert.SkipUnless(Directory.Exists(Optimizer.Data.FashionMnist.DebianFolder), "the Debian package dataset-fashion-mnist is not installed");
        var path = Path.Combine(_folder, "text.onnx");
        await File.WriteAllTextAsync(path, "not a model", TestContext.Current.CancellationToken);
        var (code, _, error) = await CommandRun.Of("quantize", path, "--out", Path.Combine(_folder, "q.onnx"));
        Assert.Equal(1, code);
        Assert.Contains("not an ONNX model", error);
    }

    [Fact]
    public async Task AnUnknownCommandIsAUsageError() => Assert.NotEqual(0, (await CommandRun.Of("explode")).Code);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
