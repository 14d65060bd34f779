using Dunlin.TestKit;


namespace Dunlin.EndToEnd.Tests.Agents;

/// <summary>What an agent of a test is started with: small windows, every result, a short race.</summary>
internal sealed record AgentSetup
{
    public static string DemoBundle { get; } = RepositoryFolder.DemoBundle;

    public required string StateDirectory { get; init; }
    public required string Camera { get; init; }
    public string Id { get; init; } = "t1";
    public string Bundle { get; init; } = DemoBundle;

    /// <summary>The broker's port on loopback.</summary>
    public required int Port { get; init; }

    public bool AllowUnsigned { get; init; } = true;

    /// <summary>Further assignments, <c>Section:Key=value</c>.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>Variables of the agent's environment, besides the inherited ones.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public string Topic(string name) => $"dunlin/v1/default/{Id}/{name}";

    public IReadOnlyList<string> Assignments =>
    [
        $"Device:StateDirectory={StateDirectory}",
        $"Device:Id={Id}",
        $"Device:Bundle={Bundle}",
        $"Updates:AllowUnsigned={AllowUnsigned}",
        $"Camera:Source={Camera}",
        "Camera:FramesPerSecond=10",
        "Mqtt:Host=localhost",
        $"Mqtt:Port={Port}",
        "Mqtt:ReconnectSeconds=5",
        "Results:Every=1",
        "Telemetry:WindowSeconds=1",
        "Race:BudgetSeconds=2",
        .. Set,
    ];
}
