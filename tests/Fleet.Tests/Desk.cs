using System.CommandLine;
using System.Text;
using System.Text.Json;
using Dunlin.Bundles.Layouts;
using Dunlin.TestKit.Samples;

namespace Dunlin.Fleet.Tests;

/// <summary>An operator's desk: a temporary folder, and <c>dunlin-fleet</c> run in this process as a person types it.</summary>
internal sealed class Desk : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-fleet-").FullName;
    private readonly StringBuilder _everything = new();

    public string Keys => At("keys");

    /// <summary>What the last command wrote.</summary>
    public string Output { get; private set; } = "";

    public string Errors { get; private set; } = "";

    public JsonElement Json => JsonElement.Parse(Output.Trim());

    /// <summary>What all commands wrote.</summary>
    public string Everything { get { lock (_everything) return _everything.ToString(); } }

    public string At(string name) => Path.Combine(_folder, name);

    public Task<int> RunAsync(params string[] arguments) => RunAsync(TestContext.Current.CancellationToken, arguments);

    public async Task<int> RunAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        var (code, output, errors) = await CallAsync(cancellationToken, arguments);
        (Output, Errors) = (output, errors);
        return code;
    }

    /// <summary>For commands that run at the same time.</summary>
    public async Task<(int Code, string Output, string Errors)> CallAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        using StringWriter output = new(), errors = new();
        var code = await FleetCommand.Create().Parse(arguments).InvokeAsync(new InvocationConfiguration { Output = output, Error = errors }, cancellationToken);
        lock (_everything) _everything.Append(output).Append(errors);
        return (code, output.ToString(), errors.ToString());
    }

    /// <summary>A small bundle that is like no other: its name is unique on this desk.</summary>
    public string UnsignedBundle(int seed = 1)
    {
        var path = At($"bundle-{seed}");
        SampleBundle.Write(path, seed);
        return path;
    }

    public async Task<Bundle> SignedBundleAsync(int seed = 1)
    {
        var path = UnsignedBundle(seed);
        Assert.True(await RunAsync("sign", path, "--keys", Keys) == 0, Errors);
        return Bundle.Open(path);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
