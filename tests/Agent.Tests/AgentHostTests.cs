using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Agent.Tests;

public sealed class AgentHostTests
{
    private bool _hasEndedInOrder;

    [Fact]
    public async Task AFaultedServiceMakesTheProcessExitNonZero()
    {
        Assert.Equal(1, await RunAsync<Faulting>(CancellationToken.None));
        Assert.False(_hasEndedInOrder);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(0)]
    public async Task BeingStoppedIsNoFaultNotEvenBeforeAllHasStarted(int milliseconds)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal(0, await RunAsync<Waiting>(stop.Token));
        Assert.True(_hasEndedInOrder);
    }

    [Fact]
    public async Task AServiceThatDoesNotStopEndsNotInOrder()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        Assert.Equal(0, await RunAsync<Hanging>(stop.Token));
        Assert.False(_hasEndedInOrder);
    }

    private async Task<int> RunAsync<T>(CancellationToken cancellationToken)
        where T : BackgroundService
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddHostedService<T>();
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

    private sealed class Hanging : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, CancellationToken.None);
    }

    private sealed class Waiting : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
