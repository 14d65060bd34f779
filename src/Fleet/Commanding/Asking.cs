using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Serving;
using Dunlin.Telemetry.Link;

namespace Dunlin.Fleet.Commanding;

/// <summary>The two ways to ask a device: openly, which takes no key, and under the fleet's signature.</summary>
internal static class Asking
{
    /// <summary>A command is good for so much longer than its reply is waited for: a board's clock may be ahead, and what is late is told by nonce and boot id.</summary>
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(10);

    public static async Task<Answer> OpenlyAsync(MqttOptions broker, string fleet, CallTarget target, string name, CancellationToken cancellationToken)
    {
        await using var call = new DeviceCall(broker, fleet, target, TimeProvider.System);
        await call.FindAsync(cancellationToken);
        return await call.AskAsync(name, JsonSerializer.SerializeToUtf8Bytes(new Command { Id = call.Id }, MessageJson.Default.Command), cancellationToken);
    }

    public static async Task<Answer> SignedAsync(FleetSetup setup, CallTarget target, DeviceRequest request, CancellationToken cancellationToken)
    {
        await using var call = new DeviceCall(setup.Broker, setup.OpenKeys().Root.Fleet, target, setup.Time);
        var status = await call.FindAsync(cancellationToken);
        var order = new CommandOrder(target.Device, status.BootId, call.Id, request, ValidityOf(target.Wait));
        return await call.AskAsync(request.Name, await SignAsync(setup, order, cancellationToken), cancellationToken);
    }

    private static TimeSpan ValidityOf(TimeSpan wait) => wait + ClockTolerance < SignedCommand.LongestValidity ? wait + ClockTolerance : SignedCommand.LongestValidity;

    // Others may be the writer again while this one only waits.
    private static async Task<byte[]> SignAsync(FleetSetup setup, CommandOrder order, CancellationToken cancellationToken)
    {
        using var ledger = setup.OpenLedger();
        using var logging = FleetLogging.Create(isVerbose: false, isJson: false);
        await using var writer = setup.NewWriter(ledger, logging.CreateLogger("command"));
        var answer = await writer.AskAsync(new ControlRequest(ControlVerb.Sign, Command: order), cancellationToken);
        return answer.Envelope ?? throw new FleetException(ExitCodes.Busy, "The dunlin-fleet that serves has not signed; restart it as the same version.");
    }
}
