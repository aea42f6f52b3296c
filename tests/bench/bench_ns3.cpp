/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_ns3.cpp - the workload of the simulator's bench in ns-3, as bench_simulator runs it: a ring
 * of N hosts with IPv4 and UDP over point-to-point links of 20 ms that lose 1 %; each sends 512
 * bytes to the next one every 100 ms. No NATs: ns-3 has none. No queues of traffic control either,
 * which are there by default and cost it a third of its speed.
 *
 *     bench_ns3 PEERS DATAGRAMS         tells datagrams sent per second of processor time
 */
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <ns3/core-module.h>
#include <ns3/internet-module.h>
#include <ns3/network-module.h>
#include <ns3/point-to-point-module.h>

#include "bench_clock.h"

using namespace ns3;

static const uint32_t PERIOD_MS = 100, DELAY_MS = 20, LEN = 512;
static const double LOSS = 0.01;
static uint64_t sent, received;

struct Peer {
    Ptr<Socket> socket;
    InetSocketAddress next = InetSocketAddress((uint16_t)0);

    void Send()
    {
        socket->SendTo(Create<Packet>(LEN), 0, next);
        sent++;
        Simulator::Schedule(MilliSeconds(PERIOD_MS), &Peer::Send, this);
    }
};

static void Receive(Ptr<Socket> socket)
{
    while (socket->Recv())
        received++;
}

/* Hosts i and i + 1 are joined by the i-th link, of two addresses. */
static std::vector<Peer> Build(const NodeContainer &hosts)
{
    uint32_t count = hosts.GetN();
    std::vector<Peer> peers(count);
    InternetStackHelper stack;
    Ipv4StaticRoutingHelper routing;
    PointToPointHelper link;
    Ipv4AddressHelper addresses("10.0.0.0", "255.255.255.252");
    stack.SetIpv6StackInstall(false);
    stack.SetRoutingHelper(routing);
    stack.Install(hosts);
    link.SetDeviceAttribute("DataRate", StringValue("1Gbps"));
    link.SetChannelAttribute("Delay", TimeValue(MilliSeconds(DELAY_MS)));
    link.DisableFlowControl();
    Ptr<UniformRandomVariable> phase = CreateObject<UniformRandomVariable>();
    for (uint32_t i = 0; i < count; i++) {
        NetDeviceContainer ends = link.Install(hosts.Get(i), hosts.Get((i + 1) % count));
        Ptr<RateErrorModel> loss = CreateObject<RateErrorModel>();
        loss->SetUnit(RateErrorModel::ERROR_UNIT_PACKET);
        loss->SetRate(LOSS);
        ends.Get(1)->SetAttribute("ReceiveErrorModel", PointerValue(loss));
        Ipv4InterfaceContainer joined = addresses.Assign(ends);
        addresses.NewNetwork();
        Peer &peer = peers[i];
        peer.next = InetSocketAddress(joined.GetAddress(1), 10000);
        peer.socket = Socket::CreateSocket(hosts.Get(i), UdpSocketFactory::GetTypeId());
        peer.socket->Bind(InetSocketAddress(Ipv4Address::GetAny(), 10000));
        peer.socket->SetRecvCallback(MakeCallback(&Receive));
        Simulator::Schedule(MicroSeconds(phase->GetInteger(0, PERIOD_MS * 1000 - 1)), &Peer::Send,
                            &peer);
    }
    return peers;
}

int main(int argc, char **argv)
{
    uint32_t count = argc == 3 ? (uint32_t)atoi(argv[1]) : 0;
    double datagrams = argc == 3 ? atof(argv[2]) : 0;
    if (count < 2 || datagrams < 1) {
        fprintf(stderr, "usage: bench_ns3 PEERS DATAGRAMS\n");
        return 2;
    }
    NodeContainer hosts;
    hosts.Create(count);
    std::vector<Peer> peers = Build(hosts);
    double best = 0, length_ms = datagrams / count * PERIOD_MS;
    Simulator::Stop(MilliSeconds(2 * PERIOD_MS)); /* to begin with */
    Simulator::Run();
    for (int i = 0; i < 3; i++) {
        uint64_t before = sent;
        double start = bench_cpu_seconds();
        Simulator::Stop(MilliSeconds((uint64_t)length_ms + 1));
        Simulator::Run();
        double rate = (double)(sent - before) / (bench_cpu_seconds() - start);
        best = rate > best ? rate : best;
    }
    double share = (double)received / (double)sent;
    if (share < 0.5 || share > 1 - LOSS / 2) { /* what flies is neither */
        fprintf(stderr, "bench_ns3: %.3f of the datagrams arrived\n", share);
        return 1;
    }
    printf("%.0f\n", best);
    Simulator::Destroy();
    return 0;
}
