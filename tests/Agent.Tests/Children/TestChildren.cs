using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Agent.Tests.Children;

/// <summary>The real children of this build, and what to tell them.</summary>
internal static class TestChildren
{
    /// <summary>The agent that <c>DUNLIN_AGENT</c> names (as <c>./build.sh test</c> does: compiled ahead of time), else the one of this build, whose children take ten times as long to start.</summary>
    public static ChildHost Host(TemporaryFolder folder) => Environment.GetEnvironmentVariable("DUNLIN_AGENT") is { } agent
        ? new ChildHost { Executable = agent, EmptyDirectory = folder.Sub("empty") }
        : Host(folder, "dunlin-agent.dll");

    /// <summary>A program of this build.</summary>
    public static ChildHost Host(TemporaryFolder folder, string assembly) => new()
    {
        Executable = Dotnet(),
        Prefix = [Path.Combine(AppContext.BaseDirectory, assembly)],
        EmptyDirectory = folder.Sub("empty"),
    };

    public static ChildStart Shell(TemporaryFolder folder, string script, bool messages = true) => new()
    {
        Name = "shell",
        Executable = "/bin/sh",
        Arguments = ["-c", script],
        WorkingDirectory = folder.Path,
        Messages = messages,
    };

    public static Ready Greeting => new() { Protocol = Hello.CurrentProtocol, MissingSandbox = [], OnnxRuntimeVersion = OnnxRuntime.Version };

    /// <summary>A shell's script that says these messages, heard or not, and ends with exit code 3.</summary>
    public static string Saying(TemporaryFolder folder, params ReadOnlySpan<FromChild> messages)
    {
        using var writer = new MessageWriter();
        using var words = new MemoryStream();
        foreach (var message in messages) words.Write(writer.Write(message).Span);
        return $"cat '{folder.File("words", words.ToArray())}' >&4; exit 3";
    }

    public static SessionSpec Session(TemporaryFolder folder, byte[] model, string variant = "tiny", int classes = 10)
    {
        var release = folder.Sub($"release-{variant}");
        var path = Path.Combine(release, variant + ".onnx");
        File.WriteAllBytes(path, model);
        return new SessionSpec
        {
            ModelPath = path,
            Saved = false,
            Release = Digest.Of("release"u8),
            Contender = new ContenderId(variant, "CPUExecutionProvider", 1),
            Input = OnnxModels.Pixels(scale: 1 / 255f),
            Output = OnnxModels.Scores,
            Labels = [.. Enumerable.Range(0, classes).Select(i => $"class {i}")],
        };
    }

    private static string Dotnet()
    {
        var root = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        return Path.Combine(root, "dotnet");
    }
}
