using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Agent.Tests;

public sealed class AgentHostTests
{
    private bool _hasEndedInOrder;

    [Fact]
    public async Task AFaultedServiceMakesTheProcessExitNonZero()
    {
        Assert.Equal(1, await RunAsync(new Faulting(), CancellationToken.None));
        Assert.False(_hasEndedInOrder);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(0)]
    public async Task BeingStoppedIsNoFaultNotEvenBeforeAllHasStarted(int milliseconds)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal(0, await RunAsync(new Waiting(), stop.Token));
        Assert.True(_hasEndedInOrder);
    }

    [Fact]
    public async Task AServiceThatDoesNotStopEndsNotInOrder()
    {
        using var stop = new CancellationTokenSource();
        Assert.Equal(0, await RunAsync(new Hanging(stop), stop.Token));
        Assert.False(_hasEndedInOrder);
    }

    private async Task<int> RunAsync(BackgroundService service, CancellationToken cancellationToken)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddHostedService(_ => service);
        builder.Services.Configure<HostOptions>(hosting => hosting.ShutdownTimeout = TimeSpan.FromMilliseconds(500));
        return await AgentHost.RunToTheEndAsync(builder.Build(), () => _hasEndedInOrder = true, cancellationToken);
    }

    private sealed class Faulting : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("A bug.");
        }
    }

    /// <summary>Asks for the stop only once it runs: a service that has not begun by then would end in order.</summary>
    private sealed class Hanging(CancellationTokenSource stop) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
        }
    }

    private sealed class Waiting : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
