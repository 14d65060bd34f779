using System.CommandLine;
using System.ComponentModel;
using Dunlin.Optimizer.Tests.Training;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Tests;

public sealed class FailuresTests
{
    [Fact]
    public async Task WhatTorchSaysIsOneLine()
    {
        Torch.Require();
        var (code, error) = await Failed(() => zeros(3).mul(zeros(4)));
        Assert.Equal(1, code);
        Assert.Matches(@"^dunlin-optimizer: Torch cannot compute this model: The size of tensor a \(3\) [^\n]*\.\n$", error);
    }

    [Fact]
    public async Task WhereMemoryRunsOutItIsSaidWhatHelps()
    {
        Torch.Require();
        var (code, error) = await Failed(() => zeros(1L << 48));
        Assert.Equal(1, code);
        Assert.Matches(@"^dunlin-optimizer: Memory ran out while training: [^\n]*; free some, or train on fewer images at once\.\n$", error);
    }

    [Fact]
    public async Task WhatIsOnlyDerivedFromTorchsExceptionKeepsItsTrace()
    {
        var (_, error) = await Failed(() => throw new Win32Exception(2));
        Assert.Contains(nameof(WhatIsOnlyDerivedFromTorchsExceptionKeepsItsTrace), error);
    }

    private static async Task<(int Code, string Error)> Failed(Action action)
    {
        var command = new RootCommand();
        command.SetAction(Failures.Reported((_, _) =>
        {
            action();
            return 0;
        }));
        using var error = new StringWriter();
        var code = await command.Parse([]).InvokeAsync(new InvocationConfiguration { Error = error }, TestContext.Current.CancellationToken);
        return (code, error.ToString());
    }
}
