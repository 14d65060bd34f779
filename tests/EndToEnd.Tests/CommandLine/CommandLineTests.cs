using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.Contracts;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.EndToEnd.Tests.Updates;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Schemas;
using MQTTnet;

namespace Dunlin.EndToEnd.Tests.CommandLine;

/// <summary>What a person types.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class CommandLineTests(FirstRun first) : IDisposable
{
    private readonly TemporaryFolder _space = new();

    private string Image => Path.Combine(first.Frames, "frame-001.jpg");

    [Fact]
    public async Task ClassifyPrintsOneJsonObjectPerImageAndABrokenImageIsAnErrorOfItsOwn()
    {
        var truncated = Images.Truncated(Image, _space["truncated.jpg"]);
        var enormous = Images.Enormous(Image, _space["enormous.jpg"]);
        var arithmetic = Images.ArithmeticCoded(Image, _space["arithmetic.jpg"]);
        var (code, output, errors) = await AgentProcess.CallAsync("classify", Image, truncated, enormous, arithmetic, "--bundle", AgentSetup.DemoBundle, "--top", "3", "--json");
        Assert.True(code == 1, errors);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(4, lines.Count);
        Assert.Equal(3, lines[0].GetProperty("scores").GetArrayLength());
        Assert.Equal(Image, lines[0].GetProperty("image").GetString());
        Assert.False(lines[0].TryGetProperty("error", out _));
        Assert.Equal(truncated, lines[1].GetProperty("image").GetString());
        Assert.NotEmpty(lines[1].GetProperty("error").GetString()!);
        Assert.Contains("claims 16383 × 16383 pixels", lines[2].GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal($"'{arithmetic}' is an arithmetic-coded JPEG image, which is not decoded; save it as 8-bit RGB or gray.", lines[3].GetProperty("error").GetString());
    }

    [Fact]
    public async Task MoreImagesThanAMessageHoldsAreClassifiedInTheirOrder()
    {
        string[] images = [.. Enumerable.Repeat(Image, 2500)];
        var (code, output, errors) = await AgentProcess.CallAsync(["classify", .. images, "--bundle", AgentSetup.DemoBundle, "--top", "10", "--json"]);
        Assert.True(code == 0, errors);
        Assert.Equal(images.Length, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task ClassifyWithoutJsonPrintsClassesInPercentAndSaysWhatIsWrongWithABrokenImage()
    {
        var truncated = Images.Truncated(Image, _space["truncated.jpg"]);
        var (code, output, errors) = await AgentProcess.CallAsync("classify", Image, truncated, "--bundle", AgentSetup.DemoBundle, "--top", "2");
        Assert.True(code == 1, errors);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(5, lines.Length);
        Assert.Equal((Image, truncated), (lines[0], lines[3]));
        var percent = lines[1..3].Select(line => double.Parse(Regex.Match(line, @"^ {2,}(\d+\.\d) %  \p{L}").Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
        Assert.InRange(percent[1], 0, percent[0]);
        // Of ten classes, the two best have more than two tenths.
        Assert.InRange(percent.Sum(), 20, 100.1);
        Assert.StartsWith($"  '{truncated}' ", lines[4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnImageThatIsNotThereIsNamed()
    {
        var (code, output, errors) = await AgentProcess.CallAsync("classify", "/nowhere/cat.jpg", "--bundle", AgentSetup.DemoBundle);
        Assert.Equal(1, code);
        Assert.Equal("dunlin-agent: There is no file '/nowhere/cat.jpg'.", errors.Trim());
        Assert.Empty(output.Trim());
    }

    [Fact]
    public async Task RacePrintsAVerdictThatReadsAsOne()
    {
        var (code, output, errors) = await AgentProcess.CallAsync("race", "--bundle", AgentSetup.DemoBundle, "--json", "--set", "Race:BudgetSeconds=1", "--set", $"Race:Variant={DemoVariants.Lightest}");
        Assert.True(code == 0, errors);
        SchemaAssert.Valid("race", output);
        var verdict = JsonSerializer.Deserialize(output, StrictJson.Default.Verdict)!;
        Assert.NotNull(verdict.Winner);
        Assert.Contains(verdict.Contenders, contender => contender.Contender == verdict.Winner && contender.RunCount > 0);
    }

    [Fact]
    public async Task RaceWithoutJsonPrintsATableThatBeginsWithTheWinner()
    {
        var (code, output, errors) = await AgentProcess.CallAsync("race", "--bundle", AgentSetup.DemoBundle, "--set", "Race:BudgetSeconds=1", "--set", $"Race:Variant={DemoVariants.Lightest}");
        Assert.True(code == 0, errors);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches(@"^garments 1\.0\.0 on .+, \d+ cores: \d+ contenders, \d+\.\d s$", lines[0]);
        Assert.Matches("│ variant +│ threads +│ outcome +│ p50 ms +│ p95 ms +│", lines[2]);
        Assert.Matches($@"^│ {DemoVariants.Lightest} +│ \d+ +│ won +│ [\d.]+ +│ [\d.]+ +│", lines[4]);
        Assert.Contains(lines, line => Regex.IsMatch(line, @"│ blocked +│ - +│.+│ variant\.not-chosen +│$"));
        // What is longer than a line of a pipe goes on in the next.
        Assert.Contains(lines, line => line.StartsWith($"Winner: {DemoVariants.Lightest} on ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ALogOfJsonIsOneObjectPerLine()
    {
        await using var agent = AgentProcess.Run(first.Again(_space, port: 1) with { Set = ["Logging:Format=json"] });
        await agent.SaysAsync("Agent ready");
        var lines = agent.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.True(JsonElement.Parse(line).GetProperty("@t").TryGetDateTimeOffset(out _)));
        Assert.Contains(lines, line => JsonElement.Parse(line).GetProperty("@mt").GetString()!.StartsWith("Agent ready", StringComparison.Ordinal));
        Assert.Empty(agent.Output);
    }

    [Fact]
    public async Task AVariantThatTheBundleDoesNotHaveIsNamedByRaceAndCheck()
    {
        string[] wrong = ["--set", "Race:Variant=int4"];
        var (code, output, errors) = await AgentProcess.CallAsync(["race", "--bundle", AgentSetup.DemoBundle, "--json", .. wrong]);
        Assert.True(code == 1, output + errors);
        Assert.StartsWith("Nothing can run here: Variant '", JsonSerializer.Deserialize(output, StrictJson.Default.Verdict)!.Reason, StringComparison.Ordinal);
        Assert.Contains($"Variant '{DemoVariants.Lightest}' is not the one that Race:Variant names, 'int4'.", output.Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);

        (code, output, _) = await AgentProcess.CallAsync(["check", .. Sets(new AgentSetup { StateDirectory = _space["state"], Camera = first.Frames, Port = 1 }), .. wrong]);
        Assert.Equal(1, code);
        Assert.Matches("FAILED  variant +None of this bundle can run here", output);
    }

    [Fact]
    public async Task CheckSaysWhatWorksAndEndsWithOneWhereSomethingDoesNot()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var setup = new AgentSetup { StateDirectory = _space["state"], Camera = first.Frames, Port = broker.Port, Set = [$"Race:Variant={DemoVariants.Lightest}"] };
        var (code, output, errors) = await AgentProcess.CallAsync(["check", .. Sets(setup)]);
        Assert.True(code == 0, output + errors);
        foreach (var part in (string[])["configuration", "bundle", "variant", "camera", "broker", "power"]) Assert.Contains(part, output, StringComparison.Ordinal);

        await broker.KillAsync();
        (code, output, _) = await AgentProcess.CallAsync(["check", .. Sets(setup with { Bundle = "/nowhere", Camera = "/nowhere", Set = ["Power:Kind=ina219", "Commands:Snapshot=true"] })]);
        Assert.Equal(1, code);
        Assert.Contains("FAILED  bundle", output, StringComparison.Ordinal);
        Assert.Contains("FAILED  broker", output, StringComparison.Ordinal);
        Assert.Contains("FAILED  power", output, StringComparison.Ordinal);
        Assert.Matches("limited +commands +Commands:Snapshot: allowed", output);
    }

    [Fact]
    public async Task ABoardThatWaitsForItsFirstReleaseIsHealthyOnceItIsEnrolled()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var owner = new Owner(_space);
        var setup = new AgentSetup { StateDirectory = _space["state"], Camera = first.Frames, Port = broker.Port, Bundle = "" };
        var (code, output, _) = await AgentProcess.CallAsync(["check", .. Sets(setup)]);
        Assert.Equal(1, code);
        Assert.Matches("FAILED +bundle +No bundle: set Device:Bundle", output);

        (code, output, var errors) = await AgentProcess.CallAsync(["check", .. Sets(owner.Enroll(setup, factory: null))]);
        Assert.True(code == 0, output + errors);
        Assert.Matches("limited +bundle +None yet: this board waits for its first release", output);
    }

    [Fact]
    public async Task CheckLeavesTheRunningAgentItsCameraAndItsSessionAndRaceSaysThatItTakesCores()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var setup = first.Again(_space, broker.Port) with { Set = [$"Race:Variant={DemoVariants.Lightest}"] };
        await using var agent = AgentProcess.Run(setup);
        await agent.SaysAsync("Connected to broker");
        var (code, output, errors) = await AgentProcess.CallAsync(["check", .. Sets(setup)]);
        Assert.True(code == 0, output + errors);
        Assert.Matches("limited +camera +Not tried: the running agent has it", output);
        Assert.Matches("limited +broker +Not tried: the running agent has it", output);
        Assert.DoesNotContain("t1-check", broker.Log, StringComparison.Ordinal);

        // Its cores are not for one program alone.
        string[] race = ["race", "--json", .. Sets(setup), "--set", "Race:BudgetSeconds=1"];
        (code, output, errors) = await AgentProcess.CallAsync(race);
        Assert.True(code == 0, output + errors);
        Assert.Contains("systemctl stop dunlin-agent", errors, StringComparison.Ordinal);
        Assert.NotNull(JsonSerializer.Deserialize(output, StrictJson.Default.Verdict)!.Winner);

        agent.Kill();
        await agent.EndAsync();
        (_, _, errors) = await AgentProcess.CallAsync(race);
        Assert.Empty(errors.Trim());
        (code, output, errors) = await AgentProcess.CallAsync(["check", .. Sets(setup)]);
        Assert.True(code == 0, output + errors);
        Assert.Matches("ok +camera", output);
        Assert.Matches("ok +broker", output);
    }

    // Dunlin's own Mosquitto takes the certificate's name for the client id, so that check comes as the agent that runs beside it.
    [Fact]
    public async Task CheckLeavesTheSessionOfTheAgentAsItIs()
    {
        using var pki = new TestPki();
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Pki = pki, Extra = "use_username_as_clientid true" });
        var identity = pki.IssueClient("t1");
        const string topic = "dunlin/v1/default/t1/command/race";
        await using (var before = await MqttProbe.ConnectAsync(broker, AsAgent, topic)) { }
        await using (var fleet = await MqttProbe.ConnectAsync(broker, MqttProbe.WithCertificate(pki, pki.IssueClient("operator")))) await fleet.PublishAsync(topic, "{}");

        var setup = new AgentSetup
        {
            StateDirectory = _space["state"], Camera = first.Frames, Port = broker.Port,
            Set = [$"Race:Variant={DemoVariants.Lightest}", "Mqtt:Tls=true", $"Mqtt:CaFile={pki.CaFile}", $"Mqtt:CertificateFile={identity.Certificate}", $"Mqtt:KeyFile={identity.Key}"],
        };
        var (code, output, errors) = await AgentProcess.CallAsync(["check", .. Sets(setup)]);
        Assert.True(code == 0, output + errors);
        Assert.Contains("as t1 (", broker.Log.Split("as operator (")[^1], StringComparison.Ordinal);

        await using var after = await MqttProbe.ConnectAsync(broker, AsAgent);
        await after.NextAsync(topic);

        void AsAgent(MqttClientOptionsBuilder builder)
        {
            MqttProbe.WithCertificate(pki, identity)(builder);
            builder.WithClientId("t1").WithCleanSession(false).WithSessionExpiryInterval(600);
        }
    }

    [Theory]
    [InlineData("Camera:FramesPerSecond=0", "FramesPerSecond", "0")]
    [InlineData("Device:Id=Not_A_Name", "Device:Id", "Not_A_Name")]
    [InlineData("Race:Objective=speed", "Race:Objective", "speed")]
    [InlineData("Camera:Colour=red", "Colour", "Camera")]
    [InlineData("Logging:Level=loud", "Logging:Level", "loud")]
    public async Task AWrongConfigurationEndsWith78AndNamesKeyAndValue(string assignment, string key, string value)
    {
        var (code, output, errors) = await AgentProcess.CallAsync("run", "--set", assignment);
        Assert.True(code == 78, $"{code}: {output}{errors}");
        Assert.StartsWith("dunlin-agent: ", errors, StringComparison.Ordinal);
        Assert.Contains(key, errors, StringComparison.Ordinal);
        Assert.Contains(value, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoMayNotReadTheConfigurationIsToldWhatToDo()
    {
        File.SetUnixFileMode(_space.Path, (UnixFileMode)0b111_101_101);
        var file = _space.File("agent.json", "{}"u8.ToArray());
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var (code, _, errors) = await AgentProcess.CallAsOtherAsync("status", "--config", file);
        Assert.Equal((78, $"dunlin-agent: The configuration file '{file}' cannot be read by this user; run this as root, let the user read it, or name another file with --config."), (code, errors.Trim()));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("check")]
    public async Task WhoMayNotLookIntoTheStateDirectoryIsNotToldThatNothingIsThere(string verb)
    {
        File.SetUnixFileMode(_space.Path, (UnixFileMode)0b111_101_101);
        var state = _space.Sub("state");
        File.SetUnixFileMode(state, (UnixFileMode)0b111_000_000);
        string[] arguments = [verb, "--config", _space.File("agent.json", "{}"u8.ToArray()), "--set", $"Device:StateDirectory={state}"];
        var (code, _, errors) = await AgentProcess.CallAsOtherAsync(arguments);
        Assert.Equal((1, $"dunlin-agent: This user may not look into the state directory '{state}'; run this as root."), (code, errors.Trim()));
    }

    [Fact]
    public async Task TheLaterOfTwoAssignmentsWins()
    {
        var (code, _, errors) = await AgentProcess.CallAsync("run", "--set", "Logging:Level=debug", "--set", "Logging:Level=loud");
        Assert.Equal(78, code);
        Assert.Contains("it is 'loud'", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VersionAndHelpAreThere()
    {
        var (versionCode, version, _) = await AgentProcess.CallAsync("--version");
        Assert.Equal(0, versionCode);
        Assert.Matches(@"^\d+\.\d+\.\d+", version.Trim());
        var (helpCode, help, _) = await AgentProcess.CallAsync("--help");
        Assert.Equal(0, helpCode);
        foreach (var command in (string[])["run", "race", "classify", "check", "--config", "--set"]) Assert.Contains(command, help, StringComparison.Ordinal);
    }

    public void Dispose() => _space.Dispose();

    private static string[] Sets(AgentSetup setup) => [.. setup.Assignments.SelectMany(assignment => (string[])["--set", assignment])];
}
