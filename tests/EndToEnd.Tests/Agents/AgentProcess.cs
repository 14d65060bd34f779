using System.Diagnostics;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Agents;

/// <summary>A real <c>dunlin-agent</c> of this build. Disposing kills it and whatever children it has left.</summary>
internal sealed class AgentProcess : IAsyncDisposable
{
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(20);

    private readonly RunningProgram _program;

    private AgentProcess(IReadOnlyList<string> arguments, string? notifySocket, IReadOnlyDictionary<string, string>? environment = null)
        : this(Executable, arguments, notifySocket, environment)
    {
    }

    private AgentProcess(string program, IReadOnlyList<string> arguments, string? notifySocket, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(program, arguments);
        start.Environment.Remove("NOTIFY_SOCKET");
        if (notifySocket is not null) start.Environment["NOTIFY_SOCKET"] = notifySocket;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        _program = new RunningProgram(start);
    }

    /// <summary>The agent that <c>DUNLIN_AGENT</c> names (as <c>./build.sh test</c> does: compiled ahead of time), else the one of this build.</summary>
    public static string Executable { get; } = Environment.GetEnvironmentVariable("DUNLIN_AGENT") ?? RepositoryFolder.Program("Agent", "dunlin-agent");

    /// <summary>Whether it was compiled ahead of time, so that no assembly lies beside it.</summary>
    public static bool IsCompiledAhead { get; } = !File.Exists(Path.ChangeExtension(Executable, ".dll"));

    public int Id => _program.Id;

    public string Output => _program.Output;

    public string Errors => _program.Errors;

    /// <summary>Both streams.</summary>
    public string Log => _program.Log;

    public bool HasExited => _program.HasExited;

    /// <summary>Processes whose parent is the agent now.</summary>
    public IReadOnlyList<int> Children => ProcessTable.ChildrenOf(Id);

    /// <summary>The worker, if one runs.</summary>
    public int? Worker => ProcessTable.ChildOf(Id, "worker");

    /// <summary>The service.</summary>
    public static AgentProcess Run(AgentSetup setup, string? notifySocket = null) => new(RunArguments(setup), notifySocket, setup.Environment);

    /// <summary>The service of a board whose power supplies are folders of a test, in a mount namespace of its own; only for root.</summary>
    /// <param name="setup">Of the service.</param>
    /// <param name="supplies">The folder that stands at <c>/sys/class/power_supply</c>.</param>
    public static AgentProcess RunOn(AgentSetup setup, string supplies) => new("unshare", [.. WithSupplies(supplies), Executable, .. RunArguments(setup)], null, setup.Environment);

    /// <summary>Why <see cref="RunOn"/> cannot be had here; null if it can.</summary>
    public static async Task<string?> WhyNoSuppliesAsync(string supplies)
    {
        await using var nothing = new AgentProcess("unshare", [.. WithSupplies(supplies), "true"], null, null);
        return await nothing.EndAsync() == 0 ? null : nothing.Log;
    }

    /// <summary>A command that ends by itself.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> CallAsync(params string[] arguments)
    {
        await using var agent = new AgentProcess(arguments, null);
        var code = await agent.EndAsync(TimeSpan.FromMinutes(1));
        return (code, agent.Output, agent.Errors);
    }

    /// <summary>A command as a user who is not root; only for root.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> CallAsOtherAsync(params string[] arguments)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root can run something as another user.");
        string[] asOther = ["--reuid", "65533", "--regid", "65533", "--clear-groups", "--"];
        await using (var look = new AgentProcess("setpriv", [.. asOther, "test", "-x", Executable], null, null))
            if (await look.EndAsync() != 0) Assert.Skip($"Another user cannot run '{Executable}'.");
        await using var agent = new AgentProcess("setpriv", [.. asOther, Executable, .. arguments], null, null);
        var code = await agent.EndAsync(TimeSpan.FromMinutes(1));
        return (code, agent.Output, agent.Errors);
    }

    public void Terminate() => _program.Signal("TERM");

    public void Kill() => _program.Signal("KILL");

    /// <summary>Waits for the end and returns the exit code.</summary>
    public async Task<int> EndAsync(TimeSpan? within = null)
    {
        Assert.True(await _program.EndsAsync(within ?? EndPatience), $"The agent still runs. It said:\n{Log}");
        return _program.ExitCode;
    }

    public Task SaysAsync(string text, TimeSpan? within = null) =>
        Eventually.TrueAsync(() => Log.Contains(text, StringComparison.Ordinal), () => $"the agent says '{text}'; it said:\n{Log}", within);

    public async Task<int> WorkerAsync(int? otherThan = null)
    {
        int? worker = null;
        await Eventually.TrueAsync(() => (worker = Worker) is not null && worker != otherThan, () => $"a worker runs; the agent said:\n{Log}");
        return worker!.Value;
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    // Disks of other tests are let go: while one namespace holds them, they are not unmounted.
    private static string[] WithSupplies(string folder) =>
        ["--mount", "sh", "-c", "grep -o '[^ ]*dunlin-ext4[^ ]*' /proc/mounts | xargs -r umount; mount --bind \"$0\" /sys/class/power_supply && exec \"$@\"", folder];

    private static IReadOnlyList<string> RunArguments(AgentSetup setup) => ["run", .. setup.Assignments.SelectMany(assignment => (string[])["--set", assignment])];
}
