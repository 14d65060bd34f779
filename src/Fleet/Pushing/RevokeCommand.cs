using System.CommandLine;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Spectre.Console;

namespace Dunlin.Fleet.Pushing;

/// <summary><c>dunlin-fleet revoke</c>: takes back a release, or a device. A key is taken back by <c>rotate-root</c>.</summary>
internal static class RevokeCommand
{
    public static System.CommandLine.Command Create() =>
        new("revoke", "Takes back a release, or a device. (A key: 'rotate-root --replace' or '--remove'.)") { CreateRelease(), RevokeDeviceCommand.Create() };

    private static System.CommandLine.Command CreateRelease()
    {
        var release = new Argument<string>("RELEASE") { Description = "A bundle's folder, or the id or label of a release that was pushed." };
        var instead = new Option<string?>("--instead") { Description = "The release to go to; default: what each device committed before.", HelpName = "RELEASE" };
        var fleet = new FleetOptions();
        var push = new PushOptions();
        var command = new System.CommandLine.Command("release", "Never names the release again, stops giving out its blobs, and sends the devices that were told to run it to the one before.") { release, instead };
        push.AddTo(command);
        fleet.AddTo(command);
        command.SetAction(Failures.Reported((arguments, speaker, cancellationToken) => RunAsync(
            fleet.Of(arguments), arguments.GetValue(release)!, arguments.GetValue(instead), push, arguments, speaker, PushCommand.LiveConsole(speaker), cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(
        FleetSetup setup, string text, string? instead, PushOptions options, ParseResult arguments, Speaker speaker, IAnsiConsole? live, CancellationToken cancellationToken)
    {
        var root = setup.OpenKeys().Root;
        using var ledger = setup.OpenLedger();
        using var logging = FleetLogging.Create(isVerbose: false, isJson: false);
        var now = setup.Time.GetUtcNow();
        var (bad, _) = ReleaseChoice.Find(text, ledger, root, now);
        var named = options.Sources(arguments);
        var replacement = instead is null ? null : Replacement(instead, bad, named, setup, ledger, root);

        ledger.Revoke(bad.Id, now);
        await using var push = new Push(setup, ledger, root.Fleet, speaker, live, logging.CreateLogger("revoke"));
        // Clears what the broker keeps of it, before anything else may fail.
        await push.RepublishAsync(cancellationToken);
        var recall = new Recall(ledger, bad.Id, root);
        var wanted = options.Devices(arguments);
        var devices = await push.FindDevicesAsync(wanted, cancellationToken);
        if (wanted.Count == 0) devices = Concerned(recall, bad, speaker);
        var ways = devices.Select(device => (Device: device, Way: replacement is { } to ? to with { Device = device } : recall.Before(device, named))).ToList();
        IReadOnlyList<string> stranded = [.. ways.Where(way => way.Way is null).Select(way => way.Device)];
        if (stranded.Count > 0)
            speaker.Complain($"There is no earlier release that the present root accepts, or no source of it, for {string.Join(", ", stranded)}; they keep what they run, and get nothing new, until a push, --instead or --source.");
        var plans = Plans([.. ways.Select(way => way.Way).OfType<WayBack>()], options, arguments);
        foreach (var (plan, _) in plans)
        {
            if (plan.Sources.Any(source => source.Kind == SourceKind.Mqtt)) PushCommand.OfferOverMqtt(setup, plan.Release, null, ledger);
            if (plan.Release.SecurityEpoch < bad.SecurityEpoch)
                speaker.Complain($"'{plan.Release.Title}' has security epoch {plan.Release.SecurityEpoch}, and devices that committed '{bad.Title}' ({bad.SecurityEpoch}) will refuse it; build it again with 'dunlin-optimizer pack --security-epoch {bad.SecurityEpoch}' and push that.");
        }

        if (plans.Count > 0) return await push.RunAsync(plans, options.Waiting(arguments), cancellationToken);
        var report = new RevokeReport(bad.Title, bad.Id, stranded);
        speaker.Say(report, FleetJson.Default.RevokeReport, report.ToText());
        return ExitCodes.Ok;
    }

    // Whatever is wrong with it is found before the other is revoked.
    private static WayBack Replacement(string text, KnownRelease bad, IReadOnlyList<ArtifactSource> named, FleetSetup setup, Ledger ledger, Root root)
    {
        var (release, bundle) = ReleaseChoice.Find(text, ledger, root, setup.Time.GetUtcNow());
        if (release.Id == bad.Id || release.Revoked is not null)
            throw new FleetException(ExitCodes.InputMissing, $"--instead names '{release.Title}', which is taken back itself; name another release.");
        release.RequireSigned(root);
        var sources = PushCommand.ChooseSources(named, release, ledger);
        if (sources.Any(source => source.Kind == SourceKind.Mqtt)) PushCommand.OfferOverMqtt(setup, release, bundle, ledger);
        return new WayBack("", release, sources);
    }

    private static IReadOnlyList<string> Concerned(Recall recall, KnownRelease bad, Speaker speaker)
    {
        var concerned = recall.Concerned();
        if (concerned.Where(device => !device.IsCertain).Select(device => device.Device).ToList() is { Count: > 0 } unsure)
            speaker.Complain($"Whether {string.Join(", ", unsure)} run '{bad.Title}' is not certain: they were told to run it and something else since, and have not said how that ended. They are sent back as if they did; push again what they were to run.");
        return [.. concerned.Select(device => device.Device)];
    }

    private static List<(PushPlan Plan, IReadOnlyList<string> Devices)> Plans(IReadOnlyList<WayBack> ways, PushOptions options, ParseResult arguments) =>
        [.. ways.GroupBy(way => (way.Target.Id, string.Join(' ', way.Sources.Select(SourceText.Write)))).Select(group => (
            new PushPlan { Release = group.First().Target, Sources = group.First().Sources, Policy = options.Policy(arguments), Validity = options.Validity(arguments) },
            (IReadOnlyList<string>)[.. group.Select(way => way.Device)]))];
}

/// <summary>A release that was taken back where no device had to be sent elsewhere.</summary>
internal sealed record RevokeReport(string Title, Digest Release, IReadOnlyList<string> WithoutEarlierRelease)
{
    public string ToText() => $"'{Title}' ({ReleaseChoice.Short(Release)}) is revoked: it is never named again, and its blobs are not given out.";
}
