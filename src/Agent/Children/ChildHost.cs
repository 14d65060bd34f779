using System.Globalization;
using Dunlin.Agent.Sandboxing;

namespace Dunlin.Agent.Children;

/// <summary>Where and as what children are started.</summary>
public sealed record ChildHost
{
    public const string WorkerRole = "worker";
    public const string HeatRole = "heat";
    public const string WalkRole = "walk";
    public const string CameraRole = "camera";

    /// <summary>Absolute path of the program that has the roles.</summary>
    public required string Executable { get; init; }

    /// <summary>Arguments before the role: the assembly, where <see cref="Executable"/> is <c>dotnet</c>.</summary>
    public IReadOnlyList<string> Prefix { get; init; } = [];

    /// <summary>An empty folder; the children's working directory.</summary>
    public required string EmptyDirectory { get; init; }

    /// <summary>This program; <paramref name="emptyDirectory"/> is created if it is not there.</summary>
    public static ChildHost Self(string emptyDirectory)
    {
        Directory.CreateDirectory(emptyDirectory);
        var program = Environment.ProcessPath ?? throw new IOException("The agent does not know its own program file; is /proc mounted?");
        var hosted = Path.GetFileName(program) == "dotnet";
        return new ChildHost
        {
            Executable = program,
            Prefix = hosted ? [Path.Combine(AppContext.BaseDirectory, "dunlin-agent.dll")] : [],
            EmptyDirectory = emptyDirectory,
        };
    }

    public ChildStart Worker(SandboxRules rules, int? camera) => Role(WorkerRole, WorkerRole, rules) with { Camera = camera };

    public ChildStart Heat(SandboxRules rules) => Role(HeatRole, HeatRole, rules);

    /// <summary>A heat that looks at a model without loading ONNX Runtime.</summary>
    public ChildStart Walk(SandboxRules rules) => Role(WalkRole, WalkRole, rules);

    /// <summary>A camera program inside a sandbox of its own: network and devices, but not our keys and models.</summary>
    public ChildStart Camera(string program, IReadOnlyList<string> arguments, string? standardInput, SandboxRules rules, int standardOutput)
    {
        var start = Role(CameraRole, Path.GetFileName(program), rules);
        return start with { Arguments = [.. start.Arguments, program, .. arguments], Messages = false, StandardInput = standardInput, StandardOutput = standardOutput };
    }

    private ChildStart Role(string role, string name, SandboxRules rules) => new()
    {
        Name = name,
        Executable = Executable,
        Arguments = [.. Prefix, role, .. rules.ToArguments()],
        Environment = Variables(),
        WorkingDirectory = EmptyDirectory,
    };

    /// <summary>Nothing for a program compiled ahead of time; else where the runtime is, and that it opens no diagnostic socket.</summary>
    private static string[] Variables()
    {
        if (RuntimePaths.IsCompiledAhead) return [];
        var root = Environment.GetEnvironmentVariable("DOTNET_ROOT");
        return root is null ? ["DOTNET_EnableDiagnostics=0"] : ["DOTNET_EnableDiagnostics=0", string.Create(CultureInfo.InvariantCulture, $"DOTNET_ROOT={root}")];
    }
}
